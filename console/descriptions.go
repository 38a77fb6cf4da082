package console

import (
	_ "embed"
	"encoding/json"
)

//go:embed descriptions.json
var descriptionsJSON []byte

// descriptions are the comments of the API's types and fields, taken from their
// source: `go test ./console -run Descriptions -rewrite` brings them up to date.
var descriptions = func() map[string]string {
	m := map[string]string{}
	if err := json.Unmarshal(descriptionsJSON, &m); err != nil {
		panic("console: descriptions.json: " + err.Error()) // a build that tests refuse
	}
	return m
}()
