import type { Server } from "node:http";

interface StoredMessage {
  id: string;
  role: string;
  visitor: string;
  client_id?: string;
  choice?: { message_id: string; option_id: string };
  parts: { type: string; text?: string }[];
}

export declare class MockHub {
  server: Server;
  port: number;
  base: string;
  sessions: Map<string, string>;
  messages: StoredMessage[];
  reads: string[];
  typings: string[];
  requests: string[];
  counter: number;
  listeners: Set<unknown>;
  streams: "open" | "refused" | "held back";
  answers: "scripted" | "none";
  refuse: [number, string, Record<string, unknown>?] | null;
  loseAnswers: boolean;
  oldestCursor: number;
  allowed: string[] | null;
  config: Record<string, unknown>;
  start(): Promise<this>;
  stop(): Promise<void>;
  of(visitor: string): StoredMessage[];
  say(visitor: string, role: string, parts: object[], name: string | null, more?: object): StoredMessage;
  tell(visitor: string, type: string, data: unknown, id?: string): void;
  snippet(overrides?: Record<string, unknown>): Promise<string>;
}
