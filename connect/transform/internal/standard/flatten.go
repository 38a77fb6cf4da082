package standard

import (
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var flattenConfig = config.Definition{Keys: []config.Key{
	{Name: "delimiter", Type: config.String, Default: ".", Doc: "What is put between the names of fields that were within one another."},
}}

type flatten struct{ *smt.Flattener }

func newFlatten(c config.Values, part smt.Part) (plugin.Transform, error) {
	delimiter := c.String("delimiter")
	if text, ok := c.Raw("delimiter"); ok {
		delimiter = text
	}
	return flatten{smt.NewFlattener(part, delimiter)}, nil
}

func (t flatten) Apply(r *plugin.Record) (bool, error) { return true, t.Flatten(r) }
