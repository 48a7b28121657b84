/** Without accents and capitals, so that "conexoes" finds "Conexões". */
export const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
