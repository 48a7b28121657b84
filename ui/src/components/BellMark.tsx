/** The bell alone, one colour: for empty places and small sizes. */
export function BellMark({ size = 24, className }: { size?: number; className?: string }) {
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={className ? "currentColor" : "var(--bell)"}
      aria-hidden="true"
    >
      <circle cx="12" cy="20.2" r="2.3" />
      <path d="M12 2.5c-4.3 0-6.7 3.2-6.7 7.4v3c0 1.5-.7 2.3-1.7 3.1-.9.8-.5 2.4.8 2.4h15.2c1.3 0 1.7-1.6.8-2.4-1-.8-1.7-1.6-1.7-3.1v-3c0-4.2-2.4-7.4-6.7-7.4z" />
    </svg>
  );
}
