// Command pulumi-resource-docker is a Pulumi plugin `docker`, bridged from the same upstream provider as the official one.
//
// It is a substitute for machines that cannot download the official plugin: the bridged resources have the tokens and the
// property names of @pulumi/docker 5, so programs and state are the same under both. The one resource that the official plugin
// adds by itself, docker:index/image:Image (which builds images), is not in it.
package main

import (
	"context"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// version is what the plugin says it is; the build sets it, and it has to be the version that @pulumi/docker asks for.
var version = "0.0.0"

// maxName is the longest name that Docker's objects are given where a program names none.
const maxName = 255

func resource(module, name string) sdk.Type {
	return sdk.Type("docker:index/" + module + ":" + name)
}

func providerInfo() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:    shim.NewProvider(provider.New("dev")()),
		Name: "docker",
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				EnvVars: []string{"DOCKER_HOST"},
				ComputeDefault: func(context.Context, tfbridge.ComputeDefaultOptions) (any, error) {
					return "unix:///var/run/docker.sock", nil
				},
			}},
			// A list whose published name is singular.
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			// The two whose token is not what the upstream name suggests.
			"docker_config": {Tok: resource("serviceConfig", "ServiceConfig")},
			"docker_image": {
				Tok: resource("remoteImage", "RemoteImage"),
				// An image's name is given, never made up.
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
			"docker_container": {
				Tok: resource("container", "Container"),
				// A container's ports and name are taken until it is gone.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: "docker:index/getRemoteImage:getRemoteImage"},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	info.SetAutonaming(maxName, "-")
	return info
}

func main() {
	tfbridge.Main("docker", version, providerInfo(), []byte(`{"name":"docker"}`))
}
