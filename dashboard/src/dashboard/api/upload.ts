// Sends a file to the gateway, which takes files beside GraphQL.
import { session } from "./session";

/** The path of a request, with the type of its content and what is sent. */
type Upload = { path: string; type: string; content: Blob };

/** Returns why the gateway refused the file; null if it has stored it. */
export async function upload({ path, type, content }: Upload): Promise<string | null> {
  try {
    const response = await fetch(path, {
      method: "PUT",
      headers: { "content-type": type, authorization: `Bearer ${session.token() ?? ""}` },
      body: content,
    });
    if (response.ok) return null;
    const answer = (await response.json()) as { error?: { message?: string } };
    return answer.error?.message ?? `The gateway answered with ${response.status}.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
