package converters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/converter/avro"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// Versions whose behaviour the converters have.
const (
	confluentVersion = "8.1.0"
	apicurioVersion  = "3.0.6"
)

// registries are those that ask a schema registry.
func registries() []plugin.ConverterPlugin {
	return []plugin.ConverterPlugin{
		{Info: plugin.Info{Class: "io.confluent.connect.avro.AvroConverter", Aliases: []string{"AvroConverter", "Avro"}, Version: confluentVersion, Config: confluentConfig}, New: newConfluent},
		{Info: plugin.Info{Class: "io.confluent.connect.json.JsonSchemaConverter", Aliases: []string{"JsonSchemaConverter", "JsonSchema"}, Version: confluentVersion, Config: jsonSchemaConfig}, New: newJSONSchema},
		{Info: plugin.Info{Class: "io.apicurio.registry.utils.converter.AvroConverter", Version: apicurioVersion, Config: apicurioConfig}, New: newApicurio},
	}
}

const (
	urlKey      = "schema.registry.url"
	subjects    = "io.confluent.kafka.serializers.subject."
	sourceKey   = "basic.auth.credentials.source"
	userInfoKey = "basic.auth.user.info"
)

var strategies = map[string]codec.Strategy{
	subjects + "TopicNameStrategy": codec.TopicName, subjects + "RecordNameStrategy": codec.RecordName,
	subjects + "TopicRecordNameStrategy": codec.TopicRecordName,
}

func strategyKey(of string) config.Key {
	return config.Key{
		Name: of + ".subject.name.strategy", Type: config.Class, Default: subjects + "TopicNameStrategy", Importance: config.Medium,
		Check: func(v any) error {
			if class, _ := v.(string); strategies[class] == nil {
				return fmt.Errorf("Class %s could not be found.", class) //nolint:staticcheck // Kafka Connect's own words
			}
			return nil
		},
		Doc: "How subjects are named: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy of " + strings.TrimSuffix(subjects, ".") + ".",
	}
}

func refused(name, fallback, why string) config.Key {
	return config.Key{Name: name, Type: config.Boolean, Default: fallback, Importance: config.Low, Unsupported: why, Doc: "Not supported: " + why + "."}
}

// confluentKeys are what Confluent's converters have in common.
var confluentKeys = []config.Key{
	{Name: urlKey, Type: config.List, Required: true, Importance: config.High, Check: addresses, Doc: "Addresses of the schema registry's instances, with commas between them."},
	{Name: "auto.register.schemas", Type: config.Boolean, Default: "true", Importance: config.Medium, Doc: "Whether schemas that the registry does not have are registered."},
	strategyKey("key"), strategyKey("value"),
	{Name: sourceKey, Type: config.String, Default: "URL", Importance: config.Medium, Check: config.OneOf("URL", "USER_INFO"), Recommended: []string{"URL", "USER_INFO"},
		Doc: "Where user and password are: in the URL, or in " + userInfoKey + "."},
	{Name: userInfoKey, Type: config.Password, Importance: config.Medium, Doc: "User and password, with a colon between them."},
	{Name: "bearer.auth.token", Type: config.Password, Importance: config.Medium, Doc: "Token that is sent."},
	refused("use.latest.version", "false", "data is written with its own schema"),
	refused("normalize.schemas", "false", "schemas are registered as they are"),
	refused("generalized.sum.type.support", "false", "unions of several types have no form of that kind here"),
}

var confluentConfig = config.Definition{Keys: append(slices.Clone(confluentKeys),
	config.Key{Name: "schemas.cache.config", Type: config.Int, Default: "1000", Importance: config.Low, Doc: "How many schemas are remembered."},
	config.Key{Name: "scrub.invalid.names", Type: config.Boolean, Default: "false", Importance: config.Medium, Doc: "Whether characters that names in Avro do not have are replaced."},
	refused("enhanced.avro.schema.support", "false", "enums are text"),
	refused("connect.meta.data", "true", "schemas always have the names of Kafka Connect"),
	refused("allow.optional.map.keys", "false", "maps with optional keys are arrays of entries"),
	refused("discard.type.doc.default", "false", "texts and defaults of types are kept"),
)}

func addresses(v any) error {
	list, _ := v.([]string)
	if len(list) == 0 {
		return fmt.Errorf("no address of a schema registry")
	}
	for _, text := range list {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%q is no URL with http:// or https://", text)
		}
	}
	return nil
}

func oneAddress(v any) error {
	text, _ := v.(string)
	return addresses([]string{text})
}

func newConfluent(c config.Values, key bool) (converter.Converter, error) {
	return newAvro(confluent(c), avro.Config{
		Key: key, Use: use(c.Bool("auto.register.schemas")), Subject: strategy(c, key),
		Scrub: c.Bool("scrub.invalid.names"), MostSchemas: int(c.Int("schemas.cache.config")),
	})
}

// confluent is where the registry is, and who asks it.
func confluent(c config.Values) client.Config {
	to := client.Config{Token: c.String("bearer.auth.token")}
	for _, text := range c.List(urlKey) {
		to.URLs = append(to.URLs, withoutUser(text, &to))
	}
	if strings.EqualFold(c.String(sourceKey), "USER_INFO") {
		to.User, to.Password, _ = strings.Cut(c.String(userInfoKey), ":")
	}
	return to
}

func strategy(c config.Values, key bool) codec.Strategy {
	of := map[bool]string{true: "key", false: "value"}[key]
	return strategies[c.String(of+".subject.name.strategy")]
}

func use(register bool) codec.Use {
	if register {
		return codec.Register
	}
	return codec.Lookup
}

// withoutUser takes user and password out of an address.
func withoutUser(text string, to *client.Config) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	to.User = u.User.Username()
	to.Password, _ = u.User.Password()
	u.User = nil
	return u.String()
}

// apicurioConfig is that of the Confluent mode, in which others read the bytes.
var apicurioConfig = config.Definition{Keys: []config.Key{
	{Name: apicurio + "url", Type: config.String, Required: true, Importance: config.High, Check: oneAddress,
		Doc: "Address of a registry: Apicurio's, whose API for Confluent's clients is asked, or another one with that API."},
	{Name: apicurio + "auto-register", Type: config.Boolean, Default: "false", Importance: config.Medium, Doc: "Whether schemas that the registry does not have are registered."},
	modeKey("as-confluent", "false", "true"), modeKey("use-id", "contentId", "contentId"), modeKey("headers.enabled", "false", "false"),
	refused(apicurio+"find-latest", "false", "data is written with its own schema"),
}}

const apicurio = "apicurio.registry."

func modeKey(name, fallback, must string) config.Key {
	return config.Key{
		Name: apicurio + name, Type: config.String, Default: fallback, Importance: config.Medium, Recommended: []string{must},
		Check: func(v any) error {
			if v != must {
				return fmt.Errorf("only the mode for Confluent's clients is here: as-confluent=true, use-id=contentId, headers.enabled=false")
			}
			return nil
		},
		Doc: "It is " + must + ": bytes are those of Confluent's serializers.",
	}
}

func newApicurio(c config.Values, key bool) (converter.Converter, error) {
	to := client.Config{}
	at := strings.TrimRight(c.String(apicurio+"url"), "/")
	for _, own := range []string{"/apis/registry/v2", "/apis/registry/v3"} {
		if base, ok := strings.CutSuffix(at, own); ok {
			at = base + "/apis/ccompat/v7"
		}
	}
	to.URLs = []string{withoutUser(at, &to)}
	return newAvro(to, avro.Config{Key: key, Use: use(c.Bool(apicurio + "auto-register"))})
}

func newAvro(to client.Config, c avro.Config) (converter.Converter, error) {
	return withRegistry(to, func(registry *client.Client) (closer, error) {
		c.Registry, c.MostSchemas = registry, cmp.Or(c.MostSchemas, 1000)
		return avro.New(c)
	})
}

// closer is a converter that waits for a registry until it is closed.
type closer interface {
	converter.Appender
	io.Closer
}

// withRegistry makes a converter with a client of its own.
func withRegistry(to client.Config, with func(*client.Client) (closer, error)) (converter.Converter, error) {
	registry, err := client.New(to)
	if err != nil {
		return nil, err
	}
	c, err := with(registry)
	if err != nil {
		return nil, errors.Join(err, registry.Close())
	}
	return owner{c, registry}, nil
}

type owner struct {
	closer
	registry *client.Client
}

// Close the converter, and then the client.
func (o owner) Close() error { return errors.Join(o.closer.Close(), o.registry.Close()) }
