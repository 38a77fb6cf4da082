package connectors_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestPublicExamples: the configurations of Debezium's public examples are right as they are;
// only the databases that they name are not there. They are those of
// https://github.com/debezium/debezium-examples (Apache License 2.0) by their files' names.
func TestPublicExamples(t *testing.T) {
	text, err := os.ReadFile("testdata/debezium-examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples map[string]map[string]any
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	s, err := connectors.Start(t.Context(), connectors.Config{Kafka: kafkatest.Start(t).Config, Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	for name, given := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for key, problems := range validate(t, s.URL(), away(given)) {
				if _, where := databaseKeys[key]; !where || !strings.Contains(problems[0], "connect") {
					t.Errorf("%s: %s", key, problems)
				}
			}
		})
	}
}

// databaseKeys say where a database is; validation says so with them where it cannot be reached.
var databaseKeys = map[string]func(any) any{
	"database.hostname":         func(any) any { return "127.0.0.1" },
	"database.port":             func(any) any { return 1 },
	"mongodb.connection.string": otherHosts,
	"connection.url":            otherHosts,
}

func otherHosts(given any) any { return hosts.ReplaceAllString(fmt.Sprint(given), "${1}127.0.0.1:1") }

// hosts of a connection string; $1 is what comes before them.
var hosts = regexp.MustCompile(`^([a-z:]*://(?:[^@/?]*@)?)[^/?]*`)

// away is the configuration with a database that refuses connections at once.
func away(given map[string]any) map[string]any {
	out := map[string]any{"name": "example", "mongodb.server.selection.timeout.ms": 300}
	for key, value := range given {
		if elsewhere, is := databaseKeys[key]; is {
			value = elsewhere(value)
		}
		out[key] = value
	}
	return out
}

// validate returns what is wrong with a configuration, by key.
func validate(t *testing.T, url string, given map[string]any) map[string][]string {
	t.Helper()
	body, _ := json.Marshal(given)
	path := fmt.Sprintf("%s/connector-plugins/%s/config/validate", url, given["connector.class"])
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Configs []struct {
			Value struct {
				Name   string
				Errors []string
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	out := map[string][]string{}
	for _, c := range answer.Configs {
		if len(c.Value.Errors) > 0 {
			out[c.Value.Name] = c.Value.Errors
		}
	}
	return out
}
