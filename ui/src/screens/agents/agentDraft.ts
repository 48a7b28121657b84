/** What is being changed of an agent, and what of it was not saved yet. */
import type { Agent, AgentDraft, AgentSettings, StreamMode } from "../../bindings";

export type Editing = {
  name: string;
  instructions: string;
  channel_instructions: Record<string, string>;
  connection: string | null;
  model: string;
  settings: AgentSettings;
  tools: string[];
  stream_mode: StreamMode;
};

/** The settings that the hub uses where nothing is said. */
export const usual = {
  temperature: 0.7,
  max_tokens: 4096,
  history: 30,
  max_tool_calls: 8,
  max_seconds: 120,
  answer_within_hours: 12,
} as const;

export function editingOf(agent: Agent): Editing {
  return {
    name: agent.name,
    instructions: agent.instructions,
    channel_instructions: agent.channel_instructions ?? {},
    connection: agent.connection ?? null,
    model: agent.model ?? "",
    settings: agent.settings,
    tools: agent.tools,
    stream_mode: agent.stream_mode,
  };
}

/** What to send: additions without words are left out. */
export function draftOf(editing: Editing): AgentDraft & { name: string } {
  const additions = Object.entries(editing.channel_instructions).filter(([, text]) => text.trim() !== "");
  return {
    ...editing,
    name: editing.name.trim(),
    model: editing.model.trim(),
    channel_instructions: Object.fromEntries(additions),
  };
}

export type AgentErrors = Partial<
  Record<keyof AgentSettings | "name" | "connection" | "model" | "instructions", string>
>;

const key = (id: string) => `shopbell.agent.${id}`;

/** What was typed and not saved when the window was closed. */
export function keptEditing(id: string): Editing | undefined {
  try {
    const kept = localStorage.getItem(key(id));
    return kept === null ? undefined : (JSON.parse(kept) as Editing);
  } catch {
    return undefined;
  }
}

export function keepEditing(id: string, editing: Editing | undefined): void {
  try {
    if (editing === undefined) localStorage.removeItem(key(id));
    else localStorage.setItem(key(id), JSON.stringify(editing));
  } catch {
    // Without storage nothing is kept over a restart; saving works all the same.
  }
}
