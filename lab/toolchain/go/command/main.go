// Command pulumi-resource-command is a Pulumi plugin `command`, written for this project to the published schema of
// @pulumi/command 1.2.1.
//
// It is a substitute for machines that cannot download the official plugin. It has command:local:Command and
// command:remote:Command; everything else of that package it refuses, and says what to install.
package main

import (
	"context"
	"fmt"
	"os"

	"oslo-faas/toolchain/command/local"
	"oslo-faas/toolchain/command/remote"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
)

// version is what the plugin says it is; the build sets it, and it has to be the version that @pulumi/command asks for.
var version = "0.0.0"

// implemented is what is here; the rest of the package is refused by name.
var implemented = map[string]bool{
	"command:local:Command":    true,
	"command:remote:Command":   true,
	"pulumi:providers:command": true,
}

func refuse(token string) error {
	return fmt.Errorf("%s is not in the substitute for the command plugin that is in use here; "+
		"it takes the official plugin: pulumi plugin install resource command %s", token, version)
}

func newProvider() provider.Provider {
	p := infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "Command",
			Description: "Commands, local and over SSH: a substitute for machines that cannot download the official plugin.",
			License:     "Apache-2.0",
		},
		Resources: []infer.InferredResource{
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
		},
	})
	check, invoke := p.Check, p.Invoke
	p.Check = func(ctx context.Context, req provider.CheckRequest) (provider.CheckResponse, error) {
		if token := string(req.Urn.Type()); !implemented[token] {
			return provider.CheckResponse{}, refuse(token)
		}
		return check(ctx, req)
	}
	p.Invoke = func(ctx context.Context, req provider.InvokeRequest) (provider.InvokeResponse, error) {
		if token := string(req.Token); !implemented[token] {
			return provider.InvokeResponse{}, refuse(token)
		}
		return invoke(ctx, req)
	}
	return p
}

func main() {
	if err := provider.RunProvider(context.Background(), "command", version, newProvider()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
