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

export declare function metricsRegistry(): Registry;
