package mongodb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const java = "Java classes cannot be loaded"

var definition = config.Definition{Keys: append(debezium.LineageKeys(), []config.Key{
	{Name: "mongodb.connection.string", Type: config.Password, Required: true, Importance: config.High, Check: mongouri.Check, Label: "Connection String",
		Doc: "Where the database is: mongodb://host:port/?replicaSet=name or mongodb+srv://host, with the driver's options."},
	{Name: "sink.database", Type: config.String, Required: true, Importance: config.High, Check: checkDatabase, Doc: "The database to write to."},
	{Name: "mongodb.user", Type: config.String, Importance: config.High, Doc: "Name to log in with, where the connection string has none."},
	{Name: "mongodb.password", Type: config.Password, Importance: config.High, Doc: "Password of mongodb.user."},
	{Name: "mongodb.authsource", Type: config.String, Default: "admin", Doc: "Database that knows mongodb.user."},
	{Name: "mongodb.ssl.enabled", Type: config.Boolean, Default: "false", Doc: "Whether connections are encrypted."},
	{Name: "mongodb.ssl.invalid.hostname.allowed", Type: config.Boolean, Default: "false", Doc: "Whether a certificate may be of another host, which lets others listen."},
	{Name: "mongodb.connect.timeout.ms", Type: config.Int, Default: "10000", Importance: config.Low, Check: config.AtLeast(0), Doc: "How long to wait for a connection."},
	{Name: "mongodb.server.selection.timeout.ms", Type: config.Int, Default: "30000", Importance: config.Low, Check: config.AtLeast(0), Doc: "How long to look for a server that can be used."},
	{Name: "collection.name.format", Type: config.String, Default: "${topic}", Doc: "Name of a record's collection; ${topic} is its topic with _ for points, ${source.db} and the like are fields of a change's source."},
	{Name: "collection.naming.strategy", Type: config.Class, Default: "io.debezium.sink.naming.DefaultCollectionNamingStrategy", Importance: config.Low, Unsupported: java + "; use collection.name.format", Doc: "What names collections."},
	{Name: "column.naming.strategy", Type: config.Class, Default: "io.debezium.sink.naming.DefaultColumnNamingStrategy", Importance: config.Low, Unsupported: java, Doc: "What names fields."},
	{Name: "field.include.list", Type: config.List, Doc: "Regular expressions of the fields to store, as topic:field."},
	{Name: "field.exclude.list", Type: config.List, Doc: "Regular expressions of the fields not to store, as topic:field."},
	{Name: "truncate.enabled", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Whether a truncated table's collection is emptied."},
	{Name: "delete.enabled", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Has no effect, as in Debezium's sink for MongoDB: deletions are always carried out."},
	{Name: "batch.size", Type: config.Int, Default: "500", Check: config.AtLeast(1), Doc: "How many records are written with one request at most."},
	{Name: "cloud.events.schema.name.pattern", Type: config.String, Default: `.*CloudEvents\.Envelope$`, Importance: config.Low, Unsupported: "CloudEvents are not unpacked", Doc: "Names of the schemas of CloudEvents."},
}...)}

func checkDatabase(v any) error {
	name, _ := v.(string)
	if name == "" || len(name) > 63 || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return errors.New("it is no name for a database")
	}
	return nil
}

// settings is a configuration, ready for use.
type settings struct {
	database, format string
	batch            int
	truncate         bool
	include, exclude *debezium.Matcher
}

func newSettings(v config.Values) (s *settings, problems []config.Problem) {
	s = &settings{database: v.String("sink.database"), format: v.String("collection.name.format"), batch: int(v.Int("batch.size")), truncate: v.Bool("truncate.enabled")}
	matcher := func(key string) *debezium.Matcher {
		text, _ := v.Raw(key)
		m, err := debezium.ParseMatcher(text)
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Message: err.Error()})
		}
		return m
	}
	s.include, s.exclude = matcher("field.include.list"), matcher("field.exclude.list")
	if s.include != nil && s.exclude != nil {
		problems = append(problems, config.Problem{Key: "field.exclude.list", Message: `"field.include.list" is already specified`})
	}
	return s, problems
}

// shown says whether a field is stored.
func (s *settings) shown(topic, name string) bool {
	switch {
	case s.include != nil:
		return s.include.Match(topic + ":" + name)
	case s.exclude != nil:
		return !s.exclude.Match(topic + ":" + name)
	}
	return true
}

var sourceField = regexp.MustCompile(`\$\{source\.(.*?)\}`)

// collection of a record.
func (s *settings) collection(r *plugin.SinkRecord) (string, error) {
	name := strings.ReplaceAll(s.format, "${topic}", strings.ReplaceAll(r.Topic, ".", "_"))
	switch {
	case !strings.Contains(name, "${source."):
		return name, nil
	case r.Value == nil:
		return "", nil // a tombstone, whose deletion came before it
	}
	source, missing := field(r.Value, "source"), ""
	name = sourceField.ReplaceAllStringFunc(name, func(match string) string {
		key := sourceField.FindStringSubmatch(match)[1]
		text, ok := field(source, key).(string)
		if !ok {
			missing = key
		}
		return text
	})
	if missing != "" {
		return "", fmt.Errorf("the record has no source.%s, which collection.name.format asks for", missing)
	}
	return name, nil
}

func clientOptions(v config.Values) *options.ClientOptions {
	o := options.Client().SetAppName("pabal").SetConnectTimeout(v.Millis("mongodb.connect.timeout.ms")).SetServerSelectionTimeout(v.Millis("mongodb.server.selection.timeout.ms"))
	if user := v.String("mongodb.user"); user != "" {
		o.SetAuth(options.Credential{Username: user, Password: v.String("mongodb.password"), PasswordSet: true, AuthSource: v.String("mongodb.authsource")})
	}
	if v.Bool("mongodb.ssl.enabled") {
		//nolint:gosec // what the option is for
		o.SetTLSConfig(&tls.Config{InsecureSkipVerify: v.Bool("mongodb.ssl.invalid.hostname.allowed"), MinVersion: tls.VersionTLS12})
	}
	return o.ApplyURI(mongouri.Complete(v.String("mongodb.connection.string")))
}
