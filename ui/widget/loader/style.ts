/** Rules for the panel, the badge and the open launcher; they join the snippet's in its shadow root. */
export const STYLE = `
.b .x{display:none}
.b[aria-expanded=true] svg{display:none}
.b[aria-expanded=true] svg.x{display:block}
.c{position:absolute;top:-3px;right:-3px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;background:#f2b74e;color:#0e1612;font:700 12px/22px system-ui,sans-serif;text-align:center;box-shadow:0 0 0 2px #fff}
:host(.l) .c{right:auto;left:-3px}
.p{position:absolute;bottom:72px;right:0;width:min(384px,calc(100vw - 40px));height:min(640px,calc(100vh - 112px));height:min(640px,calc(100dvh - 112px));border-radius:16px;overflow:hidden;background:#f7f6f2;box-shadow:0 12px 28px rgb(20 30 25/.22),0 0 0 1px rgb(20 30 25/.08);transform-origin:100% 100%;animation:o .16s cubic-bezier(.2,.7,.2,1)}
:host(.l) .p{right:auto;left:0;transform-origin:0 100%}
.p:before{content:"";display:block;height:68px;background:var(--b)}
.p.d{background:#0e1613;box-shadow:0 12px 28px rgb(0 0 0/.55),0 0 0 1px #37433e}
.p iframe{position:absolute;inset:0;display:block;width:100%;height:100%;border:0;opacity:0;color-scheme:light}
.p.d iframe{color-scheme:dark}
.p.r iframe{opacity:1;transition:opacity .09s}
.p.f{position:fixed;inset:0 0 auto;width:100%;height:var(--vh,100dvh);border-radius:0;box-shadow:none;animation-name:f}
:host(.f) .b{visibility:hidden}
@keyframes o{from{opacity:0;transform:translateY(8px) scale(.98)}}
@keyframes f{from{opacity:0}}
@media(prefers-reduced-motion:reduce){.p{animation:none}.p.r iframe{transition:none}}
`;

/** A cross for the open launcher. */
export const CROSS = "M6 6l12 12M18 6L6 18";
