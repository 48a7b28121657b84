import styles from "./Awning.module.css";

/** The shopfront: an awning, and the large bell under it. */
export function Awning() {
  return (
    <>
      <svg className={styles.awning} viewBox="0 0 500 92" preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: 11 }, (_, stripe) => (
          <path
            key={stripe}
            d={`M${stripe * 50 - 25} 0h50v62a25 25 0 0 1-50 0z`}
            className={stripe % 2 ? styles.green : styles.cream}
          />
        ))}
        <rect className={styles.pole} width="500" height="10" />
      </svg>
      <svg className={styles.hang} width="206" height="230" viewBox="0 0 150 168" fill="none" aria-hidden="true">
        <path className={styles.spring} d="M75 0v26" strokeWidth="5" strokeLinecap="round" />
        <path
          className={styles.spring}
          d="M75 26c16 4 16 13 0 15s-16 11 0 15"
          strokeWidth="4.5"
          strokeLinecap="round"
        />
        <g transform="rotate(-8 75 56)">
          <circle className={styles.clapper} cx="75" cy="150" r="12" />
          <path
            className={styles.bell}
            d="M75 56c-23 0-35 17-35 39v17c0 8-4 12-9 16-5 5-3 13 4 13h80c7 0 9-8 4-13-5-4-9-8-9-16V95c0-22-12-39-35-39z"
          />
          <path className={styles.shine} d="M56 110V96c0-10 4-18 11-22" strokeWidth="6" strokeLinecap="round" />
        </g>
        <path
          className={styles.spring}
          d="M128 74c5 9 6 20 3 30M141 66c8 14 9 31 5 46M20 78c-4 8-5 17-3 26"
          strokeWidth="4"
          strokeLinecap="round"
        />
      </svg>
    </>
  );
}
