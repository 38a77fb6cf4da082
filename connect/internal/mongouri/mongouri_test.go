package mongouri_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/internal/mongouri"
)

func TestComplete(t *testing.T) {
	for given, want := range map[string]string{
		"mongodb://a:1,b:2?replicaSet=rs":       "mongodb://a:1,b:2/?replicaSet=rs",
		"mongodb://u:p@a:1?replicaSet=rs":       "mongodb://u:p@a:1/?replicaSet=rs",
		"mongodb://a:1/?replicaSet=rs":          "mongodb://a:1/?replicaSet=rs",
		"mongodb://a:1/db?replicaSet=rs&x=y?/z": "mongodb://a:1/db?replicaSet=rs&x=y?/z",
		"mongodb://a:1":                         "mongodb://a:1",
		"mongodb+srv://a?tls=true":              "mongodb+srv://a/?tls=true",
		"nothing?x":                             "nothing?x",
		"":                                      "",
	} {
		if got := mongouri.Complete(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for given, want := range map[string]string{
		"":                                     "Missing connection string",
		" ":                                    "Missing connection string",
		"http://a":                             "Invalid connection string; expected mongodb://host:port/?replicaSet=name",
		"mongodb://user:secret@":               "Invalid connection string; expected mongodb://host:port/?replicaSet=name",
		"mongodb://user:secret@a?replicaSet=b": "",
	} {
		got := ""
		if err := mongouri.Check(given); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
