// Package output takes what a command prints: kept for the state, passed on line by line, and the last of it for an error.
package output

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// tailLines is how much of what a command printed goes into the error when it fails.
const tailLines = 20

// Capture collects the two streams of one command. Its writers may be used at the same time.
type Capture struct {
	mu             sync.Mutex
	stdout, stderr stream
	both           bytes.Buffer
}

type stream struct {
	capture *Capture
	kept    bytes.Buffer
	// partial is a line that has no end yet.
	partial []byte
	// log gets every whole line; nil logs nothing.
	log func(line string)
}

// New makes a Capture that passes lines of stdout and stderr on; nil for a stream that is not to be logged.
func New(stdout, stderr func(line string)) *Capture {
	c := &Capture{}
	c.stdout = stream{capture: c, log: stdout}
	c.stderr = stream{capture: c, log: stderr}
	return c
}

// Stdout is where the command's standard output goes.
func (c *Capture) Stdout() io.Writer { return &c.stdout }

// Stderr is where the command's standard error goes.
func (c *Capture) Stderr() io.Writer { return &c.stderr }

func (s *stream) Write(data []byte) (int, error) {
	s.capture.mu.Lock()
	defer s.capture.mu.Unlock()
	s.kept.Write(data)
	s.capture.both.Write(data)
	if s.log == nil {
		return len(data), nil
	}
	s.partial = append(s.partial, data...)
	for {
		end := bytes.IndexByte(s.partial, '\n')
		if end < 0 {
			return len(data), nil
		}
		s.log(string(s.partial[:end]))
		s.partial = s.partial[end+1:]
	}
}

// Close passes on the last lines, when they did not end in a line break. The command has to have ended.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range []*stream{&c.stdout, &c.stderr} {
		if s.log != nil && len(s.partial) > 0 {
			s.log(string(s.partial))
		}
		s.partial = nil
	}
}

// Result is both streams as they go into the state: without the line break at the end.
func (c *Capture) Result() (stdout, stderr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.TrimSuffix(c.stdout.kept.String(), "\n"), strings.TrimSuffix(c.stderr.kept.String(), "\n")
}

// Failed is the error of a command that failed: the step, the cause, and the last lines it printed. The command's text stays
// out of it, and so do its lines where nothing of it is to be logged: both may hold secrets.
func (c *Capture) Failed(step string, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stdout.log == nil && c.stderr.log == nil {
		return fmt.Errorf("%s failed: %w (its output is not shown, as its logging is \"none\")", step, cause)
	}
	text := strings.TrimRight(c.both.String(), "\n")
	if c.stdout.log == nil || c.stderr.log == nil {
		// One stream is not to be seen, so only the other is shown.
		shown := &c.stdout
		if shown.log == nil {
			shown = &c.stderr
		}
		text = strings.TrimRight(shown.kept.String(), "\n")
	}
	if text == "" {
		return fmt.Errorf("%s failed: %w; it printed nothing", step, cause)
	}
	lines := strings.Split(text, "\n")
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return fmt.Errorf("%s failed: %w; the last lines it printed:\n%s", step, cause, strings.Join(lines, "\n"))
}
