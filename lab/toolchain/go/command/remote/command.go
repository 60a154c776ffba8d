// Package remote has command:remote:Command: commands of a host that is reached over SSH.
package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"oslo-faas/toolchain/command/output"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

// Command runs a command on a host when it is created, changed and deleted.
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

// Args are the published inputs.
type Args struct {
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *Logging          `pulumi:"logging,optional"`
	Connection             *Connection       `pulumi:"connection" provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// State is what the state file holds of a command.
type State struct {
	Args
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
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

// Update runs `update`, or `create` where there is none.
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

// Delete runs `delete` as it was, and where it was, when the command was last created or updated.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, "delete", req.State.Delete)
}

func (s *State) run(ctx context.Context, step string, command *string) error {
	if command == nil {
		return nil
	}
	client, closeAll, err := s.Connection.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	watched, stop := context.WithCancel(ctx)
	defer stop()
	go keepAlive(watched, client)
	// A cancelled `up` ends the connection, and with it the session and what runs in it.
	defer context.AfterFunc(ctx, closeAll)()

	session, err := client.NewSession()
	if err != nil {
		return fmt.Errorf("%s: no session: %w", s.Connection, err)
	}
	defer func() { _ = session.Close() }()
	if err := s.setEnvironment(ctx, session); err != nil {
		return err
	}
	if s.Stdin != nil && *s.Stdin != "" {
		session.Stdin = strings.NewReader(*s.Stdin)
	}
	capture := s.capture(ctx)
	session.Stdout, session.Stderr = capture.Stdout(), capture.Stderr()
	err = session.Run(*command)
	capture.Close()
	if err != nil {
		return capture.Failed(fmt.Sprintf("the command on %s (its %q)", s.Connection, step), cause(ctx, err))
	}
	s.Stdout, s.Stderr = capture.Result()
	return nil
}

// cause says "exit status 3" as a local command does, and why a connection that was closed was closed.
func cause(ctx context.Context, err error) error {
	var exit *ssh.ExitError
	var lost *ssh.ExitMissingError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.Signal() != "":
		return fmt.Errorf("ended by signal %s", exit.Signal())
	case errors.As(err, &exit):
		return fmt.Errorf("exit status %d", exit.ExitStatus())
	case errors.As(err, &lost):
		return errors.New("the connection was lost before it ended")
	}
	return err
}

func (s *State) setEnvironment(ctx context.Context, session *ssh.Session) error {
	for name, value := range s.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf("%s does not take the environment variable %s: %w\n"+
				"Its sshd has to name it in AcceptEnv; or set it in the command itself: \"%s=… command\"", s.Connection, name, err, name)
		}
	}
	if s.AddPreviousOutputInEnv != nil && !*s.AddPreviousOutputInEnv {
		return nil
	}
	for name, value := range map[string]string{"PULUMI_COMMAND_STDOUT": s.Stdout, "PULUMI_COMMAND_STDERR": s.Stderr} {
		if value == "" {
			continue
		}
		if err := session.Setenv(name, value); err != nil {
			provider.GetLogger(ctx).Warningf("%s does not take %s, so the command goes without it; "+
				"set addPreviousOutputInEnv to false, or name it in the AcceptEnv of its sshd", s.Connection, name)
		}
	}
	return nil
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
