/** A reporter for node --test: a dot for each test, what tests measured, each failed one with its file and error, one line of counts. */
import type { TestEvent } from 'node:test/reporters';

/** What node --test itself says at the end of each run. */
const counts = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const failures: string[] = [];
  const figures: string[] = [];
  for await (const event of source) {
    if (event.type === 'test:diagnostic' && !counts.test(event.data.message))
      figures.push(`  ${event.data.message}\n`);
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    if (isSuite(event)) continue;
    if (event.type === 'test:pass') {
      if (event.data.skip) skipped += 1;
      else passed += 1;
      yield event.data.skip ? 's' : '.';
      continue;
    }
    failed += 1;
    yield 'X';
    const cause = event.data.details.error.cause;
    const text =
      cause instanceof Error
        ? (cause.stack ?? cause.message)
        : String(cause ?? event.data.details.error.message);
    failures.push(
      `\nFAILED ${event.data.name}\n  in ${event.data.file ?? ''}:${event.data.line ?? ''}\n  ${text.replaceAll('\n', '\n  ')}\n`,
    );
  }
  yield '\n';
  yield* figures;
  yield* failures;
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

/** A suite is told of only where it failed by itself, such as in what comes before its tests. */
function isSuite({ type, data }: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>): boolean {
  if (data.details.type !== 'suite') return false;
  if (type === 'test:pass') return true;
  const { error } = data.details as { error: Error & { failureType?: string } };
  return error.failureType === 'subtestsFailed' || error.failureType === 'cancelledByParent';
}
