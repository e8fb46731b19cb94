/**
 * Names of the `language` header field; the position is the code in binary headers.
 *
 * @source rocketmq LanguageCode (5.x, 8fc57f1)
 */
export const languages = [
  'JAVA',
  'CPP',
  'DOTNET',
  'PYTHON',
  'DELPHI',
  'ERLANG',
  'RUBY',
  'OTHER',
  'HTTP',
  'GO',
  'PHP',
  'OMS',
  'RUST',
  'NODE_JS',
] as const;
export type Language = (typeof languages)[number];

/** What an absent field means. */
export const defaultLanguage: Language = 'JAVA';

const codes = new Map<string, number>(languages.map((name, code) => [name, code]));

/** null for a name that upstream does not know: it decodes to null there, and harms nothing. */
export const languageNamed = (name: string): Language | null => languageAt(codes.get(name) ?? -1);
export const languageAt = (code: number): Language | null => languages[code] ?? null;
export const languageCode = (name: string | null): number =>
  codes.get(name ?? '') ?? languages.indexOf('OTHER');
