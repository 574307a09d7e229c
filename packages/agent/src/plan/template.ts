/** Values that templates may use, by their full name: `variables.disk`, `machine.name`, `host.arch`. */
export type TemplateValues = Readonly<Record<string, string>>;

/** A template names something that does not exist. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const expression = /\{\{\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w./-]*))\s*\}\}/g;

/**
 * Puts values in: `{{ variables.disk }}`; `{{ "text" }}` gives the text itself, for files that need two braces. Anything else between two
 * braces (`{{ .Name }}`, `{{- if`) belongs to another program and stays as it is.
 * @throws TemplateError that names the variable, what it stands in, and what there is.
 */
export function render(template: string, values: TemplateValues, where: string): string {
  return template.replace(expression, (_all, literal: string | undefined, name: string | undefined) => {
    if (literal !== undefined) return literal.replace(/\\(.)/g, '$1');
    const value = Object.hasOwn(values, name ?? '') ? values[name ?? ''] : undefined;
    if (value === undefined) {
      const known = Object.keys(values).toSorted().join(', ');
      throw new TemplateError(
        `${where} uses the unknown variable ${name}; there are: ${known}. Add it to the set's spec.variables or correct the template`,
      );
    }
    return value;
  });
}
