export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds; less than 0 throws. */
  inc(labels?: Labels, by?: number): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
  add(by: number, labels?: Labels): void;
  /** Asks for the value when the metrics are read. */
  collect(read: () => number, labels?: Labels): void;
  /** The series with these labels is no longer shown. */
  remove(labels?: Labels): void;
}
export interface Histogram {
  /** In the metric's unit: seconds, as Prometheus has it. */
  observe(value: number, labels?: Labels): void;
}

/** Metrics in Prometheus' text form. Asking for the same name again gives the same metric. */
export interface Registry {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** Buckets are upper bounds in rising order. @default 5 ms to 60 s */
  histogram(name: string, help: string, buckets?: readonly number[]): Histogram;
  /** text/plain; version=0.0.4 */
  text(): string;
}

const defaultBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const validName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly api: Counter | Gauge | Histogram;
  lines(name: string): Iterable<string>;
}

export function metricsRegistry(): Registry {
  const metrics = new Map<string, Metric>();
  const get = (type: Metric['type'], name: string, make: () => Metric): Metric['api'] => {
    const old = metrics.get(name);
    if (old !== undefined) {
      if (old.type !== type) throw new TypeError(`metric ${name} is a ${old.type}, asked for as a ${type}`);
      return old.api;
    }
    if (!validName.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric`);
    const metric = make();
    metrics.set(name, metric);
    return metric.api;
  };
  return {
    counter: (name, help) => get('counter', name, () => makeCounter(help)) as Counter,
    gauge: (name, help) => get('gauge', name, () => makeGauge(help)) as Gauge,
    histogram: (name, help, buckets = defaultBuckets) =>
      get('histogram', name, () => makeHistogram(help, buckets)) as Histogram,
    text() {
      const lines: string[] = [];
      for (const [name, metric] of metrics) {
        lines.push(`# HELP ${name} ${metric.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
        lines.push(`# TYPE ${name} ${metric.type}`, ...metric.lines(name));
      }
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    },
  };
}

function makeCounter(help: string): Metric {
  const series = new Map<string, number>();
  const api: Counter = {
    inc(labels, by = 1) {
      if (by < 0) throw new RangeError('a counter only goes up');
      const key = seriesKey(labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
  };
  return { type: 'counter', help, api, lines: (name) => simple(name, series) };
}

function makeGauge(help: string): Metric {
  const series = new Map<string, number>();
  const readers = new Map<string, () => number>();
  const api: Gauge = {
    set: (value, labels) => void series.set(seriesKey(labels), value),
    add(by, labels) {
      const key = seriesKey(labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
    collect: (read, labels) => void readers.set(seriesKey(labels), read),
    remove(labels) {
      series.delete(seriesKey(labels));
      readers.delete(seriesKey(labels));
    },
  };
  return {
    type: 'gauge',
    help,
    api,
    lines(name) {
      for (const [key, read] of readers) series.set(key, read());
      return simple(name, series);
    },
  };
}

function makeHistogram(help: string, bounds: readonly number[]): Metric {
  const series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();
  const api: Histogram = {
    observe(value, labels) {
      const key = seriesKey(labels);
      let one = series.get(key);
      if (one === undefined) series.set(key, (one = { counts: bounds.map(() => 0), sum: 0, count: 0 }));
      const bucket = bounds.findIndex((bound) => value <= bound);
      if (bucket >= 0) one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
      one.sum += value;
      one.count++;
    },
  };
  return {
    type: 'histogram',
    help,
    api,
    *lines(name) {
      for (const [key, { counts, sum, count }] of series) {
        const start = key === '' ? '' : `${key},`;
        let below = 0;
        for (const [index, bound] of bounds.entries()) {
          below += counts[index] ?? 0;
          yield `${name}_bucket{${start}le="${bound}"} ${below}`;
        }
        yield `${name}_bucket{${start}le="+Inf"} ${count}`;
        yield `${name}_sum${braced(key)} ${sum}`;
        yield `${name}_count${braced(key)} ${count}`;
      }
    },
  };
}

function* simple(name: string, series: ReadonlyMap<string, number>): Iterable<string> {
  for (const [key, value] of series) yield `${name}${braced(key)} ${format(value)}`;
}

function seriesKey(labels: Labels = {}): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escape(labels[name] ?? '')}"`)
    .join(',');
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function braced(key: string): string {
  return key === '' ? '' : `{${key}}`;
}

function format(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
