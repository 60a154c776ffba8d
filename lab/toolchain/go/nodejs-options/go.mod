// What stands before Pulumi's Node.js language host and hands it the options of Pulumi.yaml.
module oslo-faas/toolchain/nodejs-options

go 1.26

require gopkg.in/yaml.v3 v3.0.1
