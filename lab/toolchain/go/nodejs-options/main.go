// pulumi-language-nodejs hands the options of the project's runtime (Pulumi.yaml: runtime.options) to the language host, and becomes it.
//
// The language host that can be built from modules is an old one, which takes these options as flags. The engine of today sends them
// another way, so that the old host would never learn of `typescript: false` and `nodeargs`. An official host needs none of this.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"gopkg.in/yaml.v3"
)

// The real host, beside this program.
const host = "pulumi-language-nodejs-host"

type project struct {
	Runtime struct {
		Options struct {
			TypeScript *bool  `yaml:"typescript"`
			NodeArgs   string `yaml:"nodeargs"`
			TSConfig   string `yaml:"tsconfig"`
		} `yaml:"options"`
	} `yaml:"runtime"`
}

func main() {
	self, err := os.Executable()
	if err != nil {
		fail(err)
	}
	real := filepath.Join(filepath.Dir(self), host)
	args := append(append([]string{host}, flags()...), os.Args[1:]...)
	fail(fmt.Errorf("%s: %w", real, syscall.Exec(real, args, os.Environ())))
}

// flags are empty where there is no project, or one whose runtime is a name alone: the host then keeps its defaults.
func flags() []string {
	var found project
	text, ok := projectFile()
	if !ok || yaml.Unmarshal(text, &found) != nil {
		return nil
	}
	var list []string
	options := found.Runtime.Options
	if options.TypeScript != nil {
		list = append(list, fmt.Sprintf("-typescript=%t", *options.TypeScript))
	}
	if options.NodeArgs != "" {
		list = append(list, "-nodeargs="+options.NodeArgs)
	}
	if options.TSConfig != "" {
		list = append(list, "-tsconfig="+options.TSConfig)
	}
	return list
}

// projectFile is the Pulumi.yaml of the working directory or the nearest folder above it, where the engine looks as well.
func projectFile() ([]byte, bool) {
	folder, err := os.Getwd()
	for err == nil {
		for _, name := range []string{"Pulumi.yaml", "Pulumi.yml"} {
			if text, readErr := os.ReadFile(filepath.Join(folder, name)); readErr == nil {
				return text, true
			}
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			break
		}
		folder = parent
	}
	return nil, false
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
