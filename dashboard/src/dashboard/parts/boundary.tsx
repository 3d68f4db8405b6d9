// Shows what went wrong in a part of the page in place of it, and leaves the rest.
import { Component, type ReactNode } from "react";

type Props = {
  /** The part, as the message names it: `This page`. */
  what: string;
  /** Whether it stands in the bar, where there is room for a few words. */
  isSmall?: boolean;
  /** What is drawn; another one is tried anew. */
  of?: unknown;
  children: ReactNode;
};

export class Boundary extends Component<Props, { message: string | null }> {
  override state = { message: null };

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override componentDidUpdate(before: Props) {
    if (this.state.message !== null && before.of !== this.props.of) this.setState({ message: null });
  }

  override render() {
    const { what, isSmall, children } = this.props;
    const { message } = this.state;
    if (message === null) return children;
    if (isSmall) {
      return (
        <span className="fault" role="alert" title={message}>
          {what} failed
        </span>
      );
    }
    return (
      <p className="banner" role="alert">
        {what} could not be drawn: {message}{" "}
        <button type="button" className="quiet" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    );
  }
}
