/** "~/.ssh/key" as a shell and ssh read it. A file of its own: the program needs it too, and not the plugin's configuration with it. */
export const expandHome = (file: string): string => file.replace(/^~(?=\/)/, process.env.HOME ?? "~");
