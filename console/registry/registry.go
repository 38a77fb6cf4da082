// Package registry is the console's engine for a schema registry: it asks the REST API of the one
// in this process, or of another with Confluent's API, and decodes what was written with its
// schemas.
package registry

import "errors"

// ErrConfig is wrapped by errors about a Config that cannot work.
var ErrConfig = errors.New("schema registry of the console: configuration")

// none says how to get a registry.
const none = "the console has no schema registry: run one with `pabal up --registry=127.0.0.1:8081`, or name another with --registry-url"
