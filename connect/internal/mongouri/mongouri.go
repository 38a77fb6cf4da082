// Package mongouri reads connection strings of MongoDB as configurations of connectors have them.
package mongouri

import (
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// Check says what is wrong with one, in Debezium's words, without quoting it: it may hold a
// password.
func Check(v any) error {
	text, _ := v.(string)
	if strings.TrimSpace(text) == "" {
		return errors.New("Missing connection string") //nolint:staticcheck // Debezium's own words
	}
	if _, err := connstring.ParseAndValidate(Complete(text)); err != nil {
		return errors.New("Invalid connection string; expected mongodb://host:port/?replicaSet=name") //nolint:staticcheck // the same
	}
	return nil
}

// Complete adds the slash between hosts and options, which Java's driver does not need.
func Complete(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	hosts, options, asked := strings.Cut(rest, "?")
	if !ok || !asked || strings.Contains(hosts, "/") {
		return text
	}
	return scheme + "://" + hosts + "/?" + options
}
