/** The snippet with the places that the hub fills in. The build turns `__NAME__` into `{{name}}`. */
import { snippet, type Words } from "./snippet";

declare const __BASE__: string;
declare const __KEY__: string;
declare const __COLOR__: string;
declare const __POSITION__: string;
declare const __GREETING__: string;
declare const __WORDS__: Record<string, Words>;

snippet({
  base: __BASE__,
  key: __KEY__,
  color: __COLOR__,
  position: __POSITION__,
  greeting: __GREETING__,
  words: __WORDS__,
});
