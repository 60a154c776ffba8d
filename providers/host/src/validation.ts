/**
 * A check's command with its `%s` as put-file.sh has it: a variable in double quotes, so a path with a space stays one word.
 * Example: `validation("nginx -t -c %s")` is `nginx -t -c "$temporary"`.
 */
export function validation(validate?: string): string {
  return (validate ?? "").replaceAll("%s", '"$temporary"');
}
