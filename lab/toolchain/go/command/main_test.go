package main

import (
	"strings"
	"testing"

	"github.com/blang/semver"
	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func newServer(t *testing.T) integration.Server {
	t.Helper()
	server, err := integration.NewServer(t.Context(), "command", semver.MustParse("1.2.1"), integration.WithProvider(newProvider()))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func urn(token string) resource.URN {
	return resource.NewURN("stack", "project", "", tokens.Type(token), "name")
}

func text(value string) property.Value { return property.New(value) }

func TestWhatIsNotHereIsRefusedByName(t *testing.T) {
	server := newServer(t)
	for _, token := range []string{"command:remote:CopyToRemote", "command:remote:CopyFile"} {
		_, err := server.Check(provider.CheckRequest{Urn: urn(token)})
		if err == nil || !strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "pulumi plugin install") {
			t.Errorf("%s: %v", token, err)
		}
	}
	_, err := server.Invoke(provider.InvokeRequest{Token: "command:local:run"})
	if err == nil || !strings.Contains(err.Error(), "command:local:run") {
		t.Errorf("command:local:run: %v", err)
	}
}

func TestFilesReadBackAreRefusedWithTheProperty(t *testing.T) {
	paths := property.New([]property.Value{text("*")})
	inputs := property.NewMap(map[string]property.Value{"create": text("true"), "assetPaths": paths, "archivePaths": paths})
	response, err := newServer(t).Check(provider.CheckRequest{Urn: urn("command:local:Command"), Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, failure := range response.Failures {
		found[failure.Property] = true
	}
	if !found["assetPaths"] || !found["archivePaths"] {
		t.Errorf("failures: %v", response.Failures)
	}
}

func TestDefaultsAndSecretsOfAConnection(t *testing.T) {
	connection := property.New(map[string]property.Value{"host": text("h"), "privateKey": text("k")})
	inputs := property.NewMap(map[string]property.Value{"connection": connection})
	response, err := newServer(t).Check(provider.CheckRequest{Urn: urn("command:remote:Command"), Inputs: inputs})
	if err != nil || len(response.Failures) > 0 {
		t.Fatal(err, response.Failures)
	}
	checked := response.Inputs.Get("connection")
	if !checked.Secret() {
		t.Error("a connection is a secret as a whole")
	}
	fields := checked.AsMap()
	if fields.Get("user").AsString() != "root" || fields.Get("port").AsNumber() != 22 ||
		fields.Get("dialErrorLimit").AsNumber() != 10 || fields.Get("perDialTimeout").AsNumber() != 15 {
		t.Errorf("defaults: %v", fields)
	}
}

func TestAnotherTriggerOrCommandIsAChange(t *testing.T) {
	server := newServer(t)
	inputs := func(create, trigger string) property.Map {
		return property.NewMap(map[string]property.Value{
			"create":   text(create),
			"triggers": property.New([]property.Value{text(trigger)}),
		})
	}
	diff := func(news property.Map) provider.DiffResponse {
		olds := inputs("a", "1").Set("stdout", text("")).Set("stderr", text(""))
		response, err := server.Diff(provider.DiffRequest{
			ID: "id", Urn: urn("command:local:Command"), State: olds, OldInputs: inputs("a", "1"), Inputs: news,
		})
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if same := diff(inputs("a", "1")); same.HasChanges {
		t.Errorf("the same inputs are a change: %v", same)
	}
	if kind := diff(inputs("b", "1")).DetailedDiff["create"].Kind; kind != provider.Update {
		t.Errorf("another command is a %q", kind)
	}
	// That a trigger replaces is the SDK's doing: it sends replaceOnChanges for triggers[*].
	if _, seen := diff(inputs("a", "2")).DetailedDiff["triggers[0]"]; !seen {
		t.Error("another trigger is not seen")
	}
}
