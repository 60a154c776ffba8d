// Package local has command:local:Command: commands of the machine that Pulumi runs on.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"oslo-faas/toolchain/command/output"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// graceAfterCancel is how long a command may take to end once it was told to.
const graceAfterCancel = 10 * time.Second

// Command runs a command when it is created, changed and deleted.
type Command struct{}

// Logging says which of a command's streams a person sees.
type Logging string

// Values are those of the published schema.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "stdout", Value: "stdout"},
		{Name: "stderr", Value: "stderr"},
		{Name: "stdoutAndStderr", Value: "stdoutAndStderr"},
		{Name: "none", Value: "none"},
	}
}

// Args are the published inputs; the two that are refused are here so that Check can name them.
type Args struct {
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// State is what the state file holds of a command.
type State struct {
	Args
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Check refuses what this plugin does not do; a program that relies on it must not go on without it.
func (*Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[Args], error) {
	args, failures, err := infer.DefaultCheck[Args](ctx, req.NewInputs)
	for _, name := range []string{"assetPaths", "archivePaths"} {
		if value, set := req.NewInputs.GetOk(name); set && !value.IsNull() {
			reason := "the substitute for the command plugin that is in use here does not read files back; " +
				"it takes the official plugin: pulumi plugin install resource command 1.2.1"
			failures = append(failures, provider.CheckFailure{Property: name, Reason: reason})
		}
	}
	return infer.CheckResponse[Args]{Inputs: args, Failures: failures}, err
}

// Create runs `create`, where there is one.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[Args]) (infer.CreateResponse[State], error) {
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	state := State{Args: req.Inputs}
	if err == nil && !req.DryRun {
		err = state.run(ctx, "create", req.Inputs.Create)
	}
	return infer.CreateResponse[State]{ID: id, Output: state}, err
}

// Update runs `update`, or `create` if update is empty.
func (*Command) Update(ctx context.Context, req infer.UpdateRequest[Args, State]) (infer.UpdateResponse[State], error) {
	state := State{Args: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	if req.DryRun {
		return infer.UpdateResponse[State]{Output: state}, nil
	}
	step, command := "update", req.Inputs.Update
	if command == nil {
		step, command = "create", req.Inputs.Create
	}
	err := state.run(ctx, step, command)
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs `delete` as it was when the command was last created or updated.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, "delete", req.State.Delete)
}

func (s *State) run(ctx context.Context, step string, command *string) error {
	if command == nil {
		return nil
	}
	line := []string{"/bin/sh", "-c"}
	if s.Interpreter != nil && len(*s.Interpreter) > 0 {
		line = append([]string{}, *s.Interpreter...)
	}
	line = append(line, *command)
	process := exec.CommandContext(ctx, line[0], line[1:]...)
	process.Env = s.environment()
	if s.Dir != nil {
		process.Dir = *s.Dir
	}
	if s.Stdin != nil && *s.Stdin != "" {
		process.Stdin = strings.NewReader(*s.Stdin)
	}
	endWithChildren(process)
	capture := s.capture(ctx)
	process.Stdout, process.Stderr = capture.Stdout(), capture.Stderr()
	err := process.Run()
	capture.Close()
	if err != nil {
		return capture.Failed(fmt.Sprintf("the local command (its %q)", step), cause(ctx, err))
	}
	s.Stdout, s.Stderr = capture.Result()
	return nil
}

// endWithChildren makes a cancelled command end with all it started: in a process group of its own, first told and then made to.
func endWithChildren(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error {
		time.AfterFunc(graceAfterCancel, func() { _ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) })
		return syscall.Kill(-process.Process.Pid, syscall.SIGTERM)
	}
	process.WaitDelay = graceAfterCancel
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

func (s *State) environment() []string {
	env := os.Environ()
	if s.Environment != nil {
		for name, value := range *s.Environment {
			env = append(env, name+"="+value)
		}
	}
	if s.AddPreviousOutputInEnv != nil && !*s.AddPreviousOutputInEnv {
		return env
	}
	if s.Stdout != "" {
		env = append(env, "PULUMI_COMMAND_STDOUT="+s.Stdout)
	}
	if s.Stderr != "" {
		env = append(env, "PULUMI_COMMAND_STDERR="+s.Stderr)
	}
	return env
}

func (s *State) capture(ctx context.Context) *output.Capture {
	log := provider.GetLogger(ctx).InfoStatus
	switch {
	case s.Logging == nil || *s.Logging == "stdoutAndStderr":
		return output.New(log, log)
	case *s.Logging == "stdout":
		return output.New(log, nil)
	case *s.Logging == "stderr":
		return output.New(nil, log)
	}
	return output.New(nil, nil)
}
