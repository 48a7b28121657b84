import { useMutation } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type Ref, useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { sentence } from "../../words/error";
import styles from "./Panel.module.css";

/** Finds what an agent would find: the lines that answer a question, or that nothing does. */
export function TrySearch({ ref }: { ref: Ref<HTMLInputElement> }) {
  const { t } = useTranslation();
  const [query, setQuery] = useState("");
  const search = useMutation({
    mutationFn: (asked: string) => call("search_knowledge", { query: asked, limit: 4 }),
  });
  const hits = search.data?.items;
  return (
    <section className={styles.panel}>
      <h2>{t("knowledge.try")}</h2>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault();
          if (query.trim() !== "") search.mutate(query.trim());
        }}
      >
        <Field
          ref={ref}
          label={t("knowledge.try_label")}
          value={query}
          placeholder={t("knowledge.try_example")}
          dir="auto"
          onChange={(event) => setQuery(event.target.value)}
        />
        <Button type="submit" busy={search.isPending} aria-label={t("knowledge.try_find")} icon>
          <Search size={16} strokeWidth={1.8} aria-hidden />
        </Button>
      </form>
      <div role="status">
        {search.isError ? (
          <p className={styles.error}>{sentence(search.error, t)}</p>
        ) : hits === undefined ? null : hits.length === 0 ? (
          <p className={styles.small}>{t("knowledge.try_nothing")}</p>
        ) : (
          <ul className={styles.hits}>
            {hits.map((hit) => (
              <li key={`${hit.document}${hit.location}${hit.excerpt}`}>
                {hit.good ? null : <small className={styles.small}>{t("knowledge.try_weak")}</small>}
                <b dir="auto">{[hit.title, hit.location].filter(Boolean).join(", ")}</b>
                <p dir="auto">{hit.excerpt}</p>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
