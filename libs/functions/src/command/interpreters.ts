/** Programs that take the text of a program as an argument. */
type Family = {
  names: RegExp;
  /** The options that the text follows. Without them it is in the first place that is no option. */
  options?: RegExp;
  /** All further arguments are joined to the text. */
  rest?: true;
};

const families: Family[] = [
  {
    names: /^(a|ba|c|da|fi|k|mk|pdk|rba|tc|ya|z)?sh$|^(busybox|flock|runuser|script|su)$/,
    options: /^-\w*c\w*$|^--(session-)?command$/,
  },
  { names: /^(jython|micropython|pypy|python)[\d.]*w?$/, options: /^-\w*c/ },
  { names: /^(bun|deno|node|nodejs|ts-node|tsx)$/, options: /^-\w*[ep]\w*$|^--(eval|print)$|^eval$/ },
  {
    names:
      /^(elixir|expect|ghc|groovy|jruby|julia|lua|luajit|octave|osascript|perl|r|rscript|ruby|scala)[\d.]*$/,
    options: /^-\w*[ecE]\w*$|^--(eval|print)$/,
  },
  { names: /^php[\d.]*$/, options: /^-[rBRE]$|^--(run|process-(begin|code|end))$/ },
  {
    names: /^(emacs|ex|gdb|git|mysql|nvim|psql|rsync|sqlite3?|tar|vim?)$/,
    options: /^-(c|e|ex|I)$|^--(checkpoint-action|command|eval|execute|rsh|to-command|use-compress-program)$/,
  },
  { names: /^(powershell|pwsh)$/, options: /^[-/][ce]\w*$/i, rest: true },
  { names: /^cmd$/, options: /^\/[ckr]$/i, rest: true },
  { names: /^(parallel|ssh|watch)$/, rest: true },
  { names: /^([gmn]?awk|sed)$/, options: /^-\w*e$|^--(expression|source)$/ },
  { names: /^([gmn]?awk|doas|env|nohup|sed|setsid|sudo|xargs)$/ },
];

/**
 * The places in a command line (the program is at 0) where the text of a program stands, or may stand. Careful rather than clever: an
 * option of a script that looks like one of its interpreter's counts as well.
 */
export function programTexts(commandLine: readonly string[]): Set<number> {
  const found = new Set<number>();
  const add = (place: number, { rest }: Family) => {
    found.add(place);
    for (let next = place + 1; rest && next < commandLine.length; next++) found.add(next);
  };
  commandLine.forEach((element, at) => {
    for (const family of families.filter(({ names }) => names.test(nameOf(element)))) {
      const places = commandLine.map((_, place) => place).slice(at + 1);
      if (family.options)
        for (const place of places) add(textAfter(commandLine, place, family.options), family);
      else add(firstWord(commandLine, at), family);
    }
  });
  found.delete(-1);
  return found;
}

/** Where the text is that the option at `place` announces; -1 where it announces none. */
function textAfter(commandLine: readonly string[], place: number, options: RegExp): number {
  const [option = '', attached] = (commandLine[place] ?? '').split('=', 2);
  if (!options.test(option)) return -1;
  if (attached !== undefined) return place;
  // A shell reads further options first.
  let text = place + 1;
  while (/^[-+]/.test(commandLine[text] ?? '') || /^[-+]o$/i.test(commandLine[text - 1] ?? '')) text += 1;
  return text;
}

/** The first argument that is no option; -1 where a file takes its part. */
function firstWord(commandLine: readonly string[], at: number): number {
  const rest = commandLine.slice(at + 1);
  if (rest.some((option) => /^(-f|--file)/.test(option))) return -1;
  return at + 1 + rest.findIndex((option) => !option.startsWith('-'));
}

/** `/usr/bin/python3` and `Python3.exe` are python3. */
function nameOf(element: string): string {
  return element
    .replace(/^.*[/\\]/s, '')
    .replace(/\.exe$/i, '')
    .toLowerCase();
}
