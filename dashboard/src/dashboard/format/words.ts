// The words for the API's closed sets, with the tone that each is shown in.
import type { AlertHealth, AlertSeverity, AlertState, BuildStatus, DeploymentStatus, ErrorStatus, GroupKind, LogLineLevel, NotificationStatus, VerdictOutcome } from "../../../generated/graphql";

export type Tone = "good" | "bad" | "warn" | "busy" | "quiet";
export type Word = { text: string; tone: Tone };

export const DEPLOYMENT: Record<DeploymentStatus, Word> = {
  QUEUED: { text: "Queued", tone: "quiet" },
  IN_PROGRESS: { text: "Running", tone: "busy" },
  SUCCEEDED: { text: "Succeeded", tone: "good" },
  FAILED: { text: "Failed", tone: "bad" },
  CANCELLED: { text: "Cancelled", tone: "quiet" },
  ROLLED_BACK: { text: "Rolled back", tone: "warn" },
};

export const BUILD: Record<BuildStatus, Word> = {
  QUEUED: DEPLOYMENT.QUEUED,
  IN_PROGRESS: DEPLOYMENT.IN_PROGRESS,
  SUCCEEDED: DEPLOYMENT.SUCCEEDED,
  FAILED: DEPLOYMENT.FAILED,
  CANCELLED: DEPLOYMENT.CANCELLED,
};

export const ERROR: Record<ErrorStatus, Word> = {
  OPEN: { text: "Open", tone: "bad" },
  RESOLVED: { text: "Resolved", tone: "good" },
  IGNORED: { text: "Ignored", tone: "quiet" },
};

export const VERDICT: Record<VerdictOutcome, Word> = {
  PASS: { text: "Passed", tone: "good" },
  FAIL: { text: "Worse", tone: "bad" },
  INCONCLUSIVE: { text: "Too little to judge", tone: "quiet" },
  PENDING: { text: "Being watched", tone: "busy" },
};

export const ALERT: Record<AlertState, Word> = {
  INACTIVE: { text: "Quiet", tone: "good" },
  PENDING: { text: "Pending", tone: "warn" },
  FIRING: { text: "Firing", tone: "bad" },
};

export const HEALTH: Record<AlertHealth, Word> = {
  OK: { text: "Evaluated", tone: "good" },
  NO_DATA: { text: "No data", tone: "warn" },
  ERROR: { text: "Last evaluation failed", tone: "warn" },
  FAILING: { text: "Cannot be evaluated", tone: "bad" },
};

export const SEVERITY: Record<AlertSeverity, Word> = {
  INFO: { text: "Info", tone: "quiet" },
  WARNING: { text: "Warning", tone: "warn" },
  CRITICAL: { text: "Critical", tone: "bad" },
};

export const SEND: Record<NotificationStatus, Word> = {
  WAITING: { text: "Waiting", tone: "busy" },
  SENT: { text: "Delivered", tone: "good" },
  DEAD: { text: "Given up", tone: "bad" },
  HELD: { text: "Held back", tone: "quiet" },
  REFUSED: { text: "Test refused", tone: "warn" },
};

/** Levels of log lines, with the colour of their series in charts. */
export const LEVEL: Record<LogLineLevel, { text: string; series: string }> = {
  FATAL: { text: "Fatal", series: "line-2" },
  ERROR: { text: "Error", series: "bad" },
  WARN: { text: "Warn", series: "warn" },
  INFO: { text: "Info", series: "info" },
  DEBUG: { text: "Debug", series: "busy" },
  TRACE: { text: "Trace", series: "quiet" },
};

/** `IN_PROGRESS` as `in progress`. */
export function lower(name: string): string {
  return name.toLowerCase().replaceAll("_", " ");
}

/** What a group of figures is called: by its name, or by why it has none. */
export function groupName({ kind, name }: { kind: GroupKind; name: string | null }, noun: string): string {
  if (name !== null) return name;
  return kind === "OTHERS" ? "all others" : `${kind === "NONE" ? "no" : "unknown"} ${noun}`;
}
