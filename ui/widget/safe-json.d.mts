export declare function safeJson(value: unknown): string;
