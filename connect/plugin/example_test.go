package plugin_test

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// lower is a transform of one's own.
type lower struct{}

func (lower) Apply(r *plugin.Record) (bool, error) {
	r.Topic = strings.ToLower(r.Topic)
	return true, nil
}

func Example() {
	p := plugin.TransformPlugin{
		Info: plugin.Info{Class: "com.example.LowerTopic", Version: "1"},
		New:  func(config.Values) (plugin.Transform, error) { return lower{}, nil },
	}
	t, _ := p.New(config.Values{})
	r := plugin.Record{Topic: "Orders", Timestamp: plugin.NoTimestamp}
	keep, _ := t.Apply(&r)
	fmt.Println(r.Topic, keep)
	// Output: orders true
}
