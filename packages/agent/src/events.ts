/** Tells people what happened to a component. */
export type EventSink = (
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  /** The component that it is about; what is told of one does not take the place of what is told of another. */
  component?: string,
) => void;
