package connect

import (
	"context"
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// named is a sink with a class and no more.
type named string

func (n named) Info() plugin.Info { return plugin.Info{Class: string(n)} }

func (named) Check(context.Context, config.Values, []config.Problem) []config.Problem { return nil }

func (named) Tasks(config.Values, int) ([]map[string]string, error) { return nil, nil }

func (named) Open(context.Context, plugin.SinkContext) (plugin.SinkTask, error) { return nil, nil }

// TestShortNames: the last part of a class is a name, unless two have it.
func TestShortNames(t *testing.T) {
	k, err := newKinds(plugin.Set{Sinks: []plugin.Sink{named("a.JdbcSinkConnector"), named("b.JdbcSinkConnector"), named("a.FileSinkConnector")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"a.JdbcSinkConnector": true, "b.JdbcSinkConnector": true, "JdbcSinkConnector": false, "JdbcSink": false, "FileSinkConnector": true, "FileSink": true,
	} {
		if _, ok := k.connectors[name]; ok != want {
			t.Errorf("%s is known: %t", name, ok)
		}
	}
	if _, err := newKinds(plugin.Set{Sinks: []plugin.Sink{named("a.X"), named("a.X")}}); !errors.Is(err, ErrConfig) {
		t.Errorf("a class twice: %v", err)
	}
}
