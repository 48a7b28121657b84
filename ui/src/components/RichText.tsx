import type { ReactNode } from "react";
import Markdown from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import { openExternal } from "../bridge";
import styles from "./RichText.module.css";

/** What an agent wrote: Markdown, without HTML and without pictures from elsewhere. */
export function MarkdownText({ text }: { text: string }) {
  return (
    <div className={styles.markdown} dir="auto">
      <Markdown
        rehypePlugins={[rehypeSanitize]}
        disallowedElements={["img"]}
        unwrapDisallowed
        components={{ a: ({ href, children }) => <Outside href={href ?? ""}>{children}</Outside> }}
      >
        {text}
      </Markdown>
    </div>
  );
}

/** Plain words: lines kept, http(s) addresses can be opened, `@name` stands out where `mentions` is set. */
export function PlainText({ text, mentions }: { text: string; mentions?: boolean }) {
  return (
    <span className={styles.plain} dir="auto">
      {text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/g).map((piece, index) =>
        index % 2 === 1 ? (
          <Outside key={index} href={piece}>
            {piece}
          </Outside>
        ) : mentions ? (
          <Mentions key={index} text={piece} />
        ) : (
          piece
        ),
      )}
    </span>
  );
}

function Mentions({ text }: { text: string }) {
  return text.split(/(?<=^|\s)(@[\p{L}\p{N}_.-]+)/u).map((piece, index) =>
    index % 2 === 1 ? (
      <b key={index} className={styles.mention}>
        {piece}
      </b>
    ) : (
      piece
    ),
  );
}

/** A link that leaves Shopbell: it opens in the browser of the system, never in this window. */
function Outside({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a
      href={href}
      rel="noopener noreferrer"
      className={styles.outside}
      onClick={(event) => {
        event.preventDefault();
        void openExternal(href);
      }}
    >
      {children}
    </a>
  );
}
