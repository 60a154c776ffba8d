package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

func ptr[T any](value T) *T { return &value }

func create(ctx context.Context, args Args) (State, error) {
	response, err := (&Command{}).Create(ctx, infer.CreateRequest[Args]{Name: "c", Inputs: args})
	return response.Output, err
}

func TestCreateRunsWithItsFolderInterpreterEnvironmentAndInput(t *testing.T) {
	folder := t.TempDir()
	state, err := create(t.Context(), Args{
		Create:      ptr("cat; pwd; echo $WHO; echo aside >&2"),
		Dir:         &folder,
		Stdin:       ptr("in\n"),
		Environment: &map[string]string{"WHO": "me"},
		Interpreter: &[]string{"/bin/sh", "-e", "-c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if state.Stdout != "in\n"+folder+"\nme" || state.Stderr != "aside" {
		t.Errorf("stdout %q, stderr %q", state.Stdout, state.Stderr)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "deleted")
	old := State{Stdout: "old"}
	inputs := Args{Update: ptr("echo was $PULUMI_COMMAND_STDOUT"), Delete: ptr("touch " + mark)}
	updated, err := (&Command{}).Update(t.Context(), infer.UpdateRequest[Args, State]{State: old, Inputs: inputs})
	if err != nil || updated.Output.Stdout != "was old" {
		t.Fatalf("%q, %v", updated.Output.Stdout, err)
	}
	if _, err := (&Command{}).Delete(t.Context(), infer.DeleteRequest[State]{State: updated.Output}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Error("delete did not run")
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	inputs := Args{Create: ptr("touch " + mark)}
	if _, err := (&Command{}).Create(t.Context(), infer.CreateRequest[Args]{Name: "c", Inputs: inputs, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a preview ran the command")
	}
}

func TestAFailureShowsTheLastLines(t *testing.T) {
	_, err := create(t.Context(), Args{Create: ptr("seq 1 100; exit 3")})
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "\n81\n") ||
		strings.Contains(err.Error(), "\n80\n") {
		t.Errorf("%v", err)
	}
}

func TestACancelledCommandEndsWithWhatItStarted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := create(ctx, Args{Create: ptr("sleep 60 & sleep 60")})
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}
