import { Fragment } from "react";

const mac = /mac/i.test(navigator.platform);

/** The words of keys: `mod` is Ctrl, or ⌘ on a Mac. */
export function Kbd({ keys }: { keys: string[] }) {
  return (
    <span className="row" style={{ gap: 4 }} aria-hidden="true">
      {keys.map((key) => (
        <Fragment key={key}>
          <kbd>{key === "mod" ? (mac ? "⌘" : "Ctrl") : key === "enter" ? "↵" : key}</kbd>
        </Fragment>
      ))}
    </span>
  );
}
