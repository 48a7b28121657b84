import { useBinding } from "../keys/KeysProvider";
import { type KeyId, partsOf } from "../keys/keymap";

const mac = /mac/i.test(navigator.platform);
const words: Record<string, string> = { mod: mac ? "⌘" : "Ctrl", enter: "↵" };

/** Keys to press, drawn as keys. `spoken`: read out as well, where nothing else says them. */
export function Kbd({ keys, spoken }: { keys: string; spoken?: boolean }) {
  const parts = partsOf(keys).map((part) => words[part] ?? part);
  if (parts.length === 0) return null;
  return (
    <>
      <span className="keys" aria-hidden="true">
        {parts.map((part) => (
          <kbd key={part}>{part}</kbd>
        ))}
      </span>
      {spoken ? <span className="sr-only">{parts.join(" ")}</span> : null}
    </>
  );
}

/** The key that does `id`, as it is just now; nothing where it has none or single letters are off. */
export function KeyHint({ id, spoken = false }: { id: KeyId; spoken?: boolean }) {
  return <Kbd keys={useBinding(id)} spoken={spoken} />;
}
