//go:build tools

// Package tools names the commands that the lab builds, so that go.mod and go.sum pin all that they need.
package tools

import (
	_ "github.com/prometheus/node_exporter"
)
