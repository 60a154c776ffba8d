package remote

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

func create(t *testing.T, args Args) (State, error) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	response, err := (&Command{}).Create(t.Context(), infer.CreateRequest[Args]{Name: "c", Inputs: args})
	return response.Output, err
}

func mustCreate(t *testing.T, args Args) State {
	t.Helper()
	state, err := create(t, args)
	check(t, err)
	return state
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was not refused")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func TestCreateRunsOnTheHost(t *testing.T) {
	server := startServer(t)
	args := server.args("cat; echo; echo \"$GREETING\"; echo aside >&2; test -n \"$SSH_CONNECTION\"")
	args.Stdin = ptr("from stdin")
	args.Environment = map[string]string{"GREETING": "it's \"me\""}
	state := mustCreate(t, args)
	if state.Stdout != "from stdin\nit's \"me\"" || state.Stderr != "aside" {
		t.Errorf("stdout %q, stderr %q", state.Stdout, state.Stderr)
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	args := Args{Connection: &Connection{Endpoint: Endpoint{Host: ptr("192.0.2.1")}}, Create: ptr("true")}
	if _, err := (&Command{}).Create(t.Context(), infer.CreateRequest[Args]{Name: "c", Inputs: args, DryRun: true}); err != nil {
		t.Error(err)
	}
}

func TestUpdateAndDeleteSeeThePreviousOutput(t *testing.T) {
	server := startServer(t)
	mark := filepath.Join(t.TempDir(), "deleted")
	args := server.args("echo one; echo two >&2")
	args.Delete = ptr("echo \"$PULUMI_COMMAND_STDOUT\" > " + mark)
	old := mustCreate(t, args)
	args.Update = ptr("echo was $PULUMI_COMMAND_STDOUT and $PULUMI_COMMAND_STDERR")
	updated, err := (&Command{}).Update(t.Context(), infer.UpdateRequest[Args, State]{State: old, Inputs: args})
	check(t, err)
	if updated.Output.Stdout != "was one and two" {
		t.Errorf("update printed %q", updated.Output.Stdout)
	}
	_, err = (&Command{}).Delete(t.Context(), infer.DeleteRequest[State]{State: updated.Output})
	check(t, err)
	if text, _ := os.ReadFile(mark); string(text) != "was one and two\n" {
		t.Errorf("delete saw %q", text)
	}
}

func TestUpdateWithoutUpdateRunsCreate(t *testing.T) {
	server := startServer(t)
	args := server.args("echo [$PULUMI_COMMAND_STDOUT]")
	args.AddPreviousOutputInEnv = ptr(false)
	updated, err := (&Command{}).Update(t.Context(), infer.UpdateRequest[Args, State]{State: State{Stdout: "old"}, Inputs: args})
	check(t, err)
	if updated.Output.Stdout != "[]" {
		t.Errorf("it printed %q: with addPreviousOutputInEnv false nothing is passed on", updated.Output.Stdout)
	}
}

func TestAWrongHostKeyRunsNothing(t *testing.T) {
	server := startServer(t)
	mark := filepath.Join(t.TempDir(), "ran")
	args := server.args("touch " + mark)
	_, other := newKey(t)
	args.Connection.HostKey = ptr(other)
	args.Connection.DialErrorLimit = ptr(unlimitedDials)
	_, err := create(t, args)
	wantError(t, err, "host key mismatch", "SHA256:", "127.0.0.1")
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command ran on a host with another key")
	}
}

func TestAFailureSaysWhatHappenedButNotTheCommand(t *testing.T) {
	server := startServer(t)
	_, err := create(t, server.args("echo the reason; SECRET=hunter2; exit 7"))
	wantError(t, err, "exit status 7", "the reason", "127.0.0.1", `"create"`)
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the command's text is in the error: %v", err)
	}
	args := server.args("echo hunter2; exit 7")
	args.Logging = ptr(Logging("none"))
	_, err = create(t, args)
	wantError(t, err, "exit status 7")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("output that is not to be logged is in the error: %v", err)
	}
}

func TestAnEnvironmentThatTheHostRefuses(t *testing.T) {
	server := startServer(t)
	args := server.args("true")
	args.Environment = map[string]string{"NOT_ACCEPTED": "x"}
	_, err := create(t, args)
	wantError(t, err, "NOT_ACCEPTED", "AcceptEnv")
}

func TestAKeyThatTheHostDoesNotKnow(t *testing.T) {
	server := startServer(t)
	args := server.args("true")
	stranger, _ := newKey(t)
	args.Connection.PrivateKey = ptr(stranger)
	_, err := create(t, args)
	wantError(t, err, "unable to authenticate", "after 1 attempts")
}

func TestThroughABastion(t *testing.T) {
	bastion, server := startServer(t), startServer(t)
	args := server.args("echo through")
	args.Connection.Proxy = &ProxyConnection{Endpoint: bastion.endpoint()}
	if state := mustCreate(t, args); state.Stdout != "through" {
		t.Errorf("it printed %q", state.Stdout)
	}
	if !strings.Contains(bastion.log.String(), "Accepted publickey") {
		t.Error("the connection did not go through the bastion")
	}
}

func TestAHostThatTakesTheConnectionAndSaysNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = listener.Close() }()
	_, hostKey := newKey(t)
	port := float64(listener.Addr().(*net.TCPAddr).Port)
	args := Args{Create: ptr("true"), Connection: &Connection{Endpoint: Endpoint{
		Host: ptr("127.0.0.1"), Port: &port, Password: ptr("x"), HostKey: &hostKey, DialErrorLimit: ptr(0), PerDialTimeout: ptr(1),
	}}}
	start := time.Now()
	_, err = create(t, args)
	wantError(t, err, "no SSH answer within 1s")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// stalling passes bytes on to a port until it is told to hold them back, as a network does that lost its way.
func stalling(t *testing.T, port float64) (through float64, stall func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	var held atomic.Bool
	forward := func(to, from net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if !held.Load() {
				_, _ = to.Write(buffer[:n])
			}
		}
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", int(port)))
			if err != nil {
				return
			}
			t.Cleanup(func() { _, _ = server.Close(), client.Close() })
			go forward(server, client)
			go forward(client, server)
		}
	}()
	return float64(listener.Addr().(*net.TCPAddr).Port), func() { held.Store(true) }
}

func TestALostConnectionEndsTheCommand(t *testing.T) {
	server := startServer(t)
	keepaliveEvery = 200 * time.Millisecond
	t.Cleanup(func() { keepaliveEvery = 15 * time.Second })
	through, stall := stalling(t, server.port)
	args := server.args("sleep 2; echo alive")
	args.Connection.Port = &through
	if state := mustCreate(t, args); state.Stdout != "alive" {
		t.Errorf("a quiet command on a good connection printed %q", state.Stdout)
	}
	args.Create = ptr("sleep 60")
	time.AfterFunc(time.Second, stall)
	start := time.Now()
	_, err := create(t, args)
	wantError(t, err, "connection was lost")
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestACancelledCommandEnds(t *testing.T) {
	server := startServer(t)
	t.Setenv("SSH_AUTH_SOCK", "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := (&Command{}).Create(ctx, infer.CreateRequest[Args]{Name: "c", Inputs: server.args("sleep 60")})
	wantError(t, err, "deadline exceeded")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
