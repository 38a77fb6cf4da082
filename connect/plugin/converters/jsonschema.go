package converters

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/converter/jsonschema"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

var jsonSchemaConfig = config.Definition{Keys: append(slices.Clone(confluentKeys),
	config.Key{Name: "schemas.cache.size", Type: config.Int, Default: "1000", Importance: config.Low, Doc: "How many schemas are remembered."},
	config.Key{
		Name: "decimal.format", Type: config.String, Default: "BASE64", Importance: config.Low, Check: config.OneOf("BASE64", "NUMERIC"), Recommended: []string{"BASE64", "NUMERIC"},
		Doc: "How decimals are written: BASE64 is the bytes of the unscaled number, NUMERIC a number.",
	},
	config.Key{Name: "object.additional.properties", Type: config.Boolean, Default: "true", Importance: config.Low, Doc: "Whether schemas allow properties that they do not name."},
	config.Key{Name: "use.optional.for.nonrequired", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Whether properties that a schema does not require are read as optional."},
	refused("json.fail.invalid.schema", "false", "schemas that are none are refused by the registry"),
	refused("json.write.dates.iso8601", "false", "dates are numbers, as Kafka Connect's schemas say"),
)}

func newJSONSchema(c config.Values, key bool) (converter.Converter, error) {
	return withRegistry(confluent(c), func(registry *client.Client) (closer, error) {
		return jsonschema.New(jsonschema.Config{
			Registry: registry, Key: key, Use: use(c.Bool("auto.register.schemas")), Subject: strategy(c, key), MostSchemas: int(c.Int("schemas.cache.size")),
			NumericDecimals: strings.EqualFold(c.String("decimal.format"), "NUMERIC"), Closed: !c.Bool("object.additional.properties"), OptionalUnlessRequired: c.Bool("use.optional.for.nonrequired"),
		})
	})
}
