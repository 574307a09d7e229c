//go:build tools

// Package tools names the command that the lab builds, so that go.mod and go.sum pin all that it needs.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kubelet"
)
