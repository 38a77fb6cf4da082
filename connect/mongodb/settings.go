package mongodb

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// settings is a configuration, ready for use.
type settings struct {
	*debezium.Settings
	values config.Values
	// databases and collections say what is captured, selected what of it a snapshot reads.
	databases, collections func(name string) bool
	selected               *debezium.Matcher
	signals                namespace // the collection of signals
	fields                 fieldRules
	document, update       extjson.Format
	snapshot               string
	userStages             bson.A
	queries                map[namespace]bson.Raw // of snapshots
	target                 namespace              // of capture.scope; the collection is "" for a database
}

// newSettings reports what is wrong with the configuration by key.
func newSettings(v config.Values) (*settings, []config.Problem) {
	s := &settings{values: v, snapshot: mode(v, "snapshot.mode")}
	var problems []config.Problem
	check := func(key string, err error) {
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Message: fmt.Sprintf("The '%s' value is invalid: %s", key, err)})
		}
	}
	var err error
	s.Settings, err = debezium.NewSettings(v, debezium.DefaultStrategy)
	check("topic.prefix", err)
	s.databases, err = allowed(v, "database.include.list", "database.exclude.list")
	check("database.exclude.list", err)
	s.collections, err = allowed(v, "collection.include.list", "collection.exclude.list")
	check("collection.exclude.list", err)
	include, _ := v.Raw("snapshot.include.collection.list")
	s.selected, err = debezium.ParseMatcher(include)
	check("snapshot.include.collection.list", err)
	s.fields, err = parseFields(v.String("field.exclude.list"), v.String("field.renames"))
	check("field.exclude.list", err)
	s.userStages, err = parsePipeline(v.String("cursor.pipeline"))
	check("cursor.pipeline", err)
	s.queries, err = snapshotQueries(v)
	check("snapshot.collection.filter.overrides", err)
	s.target, err = captureTarget(v)
	check("capture.target", err)
	s.signals, err = signalCollection(v)
	check("signal.data.collection", err)
	if s.signals != (namespace{}) && !s.inScope(s.signals) {
		check("signal.data.collection", fmt.Errorf("it is not covered by capture.scope and capture.target"))
	}
	if mode(v, "cursor.oversize.handling.mode") == "skip" && v.Int("cursor.oversize.skip.threshold") <= 0 {
		check("cursor.oversize.skip.threshold", fmt.Errorf("Invalid threshold value for skipped document size")) //nolint:staticcheck // Debezium's own words
	}
	s.document, s.update = serialization(mode(v, "json.serialization.mode"))
	return s, problems
}

// allowed is a filter of one pair of lists.
func allowed(v config.Values, include, exclude string) (func(string) bool, error) {
	wanted, unwanted := v.List(include), v.List(exclude)
	if len(wanted) > 0 && len(unwanted) > 0 {
		return nil, fmt.Errorf("%q is already specified", include)
	}
	key, list, except := include, wanted, false
	if len(unwanted) > 0 {
		key, list, except = exclude, unwanted, true
	}
	if len(list) == 0 {
		return func(string) bool { return true }, nil
	}
	if mode(v, "filters.match.mode") == "literal" {
		names := map[string]bool{}
		for _, name := range list {
			names[strings.ToLower(name)] = true
		}
		return func(name string) bool { return names[strings.ToLower(name)] != except }, nil
	}
	text, _ := v.Raw(key)
	m, err := debezium.ParseMatcher(text)
	return func(name string) bool { return m.Match(name) != except }, err
}

func signalCollection(v config.Values) (namespace, error) {
	list := v.List("signal.data.collection")
	if len(list) == 0 {
		return namespace{}, nil
	}
	ns, ok := parseNamespace(list[0])
	if !ok {
		return ns, fmt.Errorf("%s is no <databaseName>.<collectionName>", list[0])
	}
	return ns, nil
}

// captured says whether changes of a collection become records. Like Debezium's, those of signals
// do.
func (s *settings) captured(ns namespace) bool {
	return ns == s.signals && ns != (namespace{}) || !ns.builtIn() && s.databases(ns.db) && s.collections(ns.String())
}

// inScope says whether the change stream covers it.
func (s *settings) inScope(ns namespace) bool {
	return (s.target.db == "" || s.target.db == ns.db) && (s.target.coll == "" || s.target.coll == ns.coll)
}

func serialization(mode string) (document, update extjson.Format) {
	switch mode {
	case "strict":
		return extjson.Format{Mode: extjson.Strict}, extjson.Format{Mode: extjson.Strict}
	case "extended":
		return extjson.Format{Mode: extjson.Extended}, extjson.Format{Mode: extjson.Extended}
	case "relaxed":
		return extjson.Format{Mode: extjson.Relaxed}, extjson.Format{Mode: extjson.Relaxed}
	}
	return extjson.Format{Mode: extjson.Strict}, extjson.Format{Mode: extjson.Relaxed, Spaced: true}
}

func captureTarget(v config.Values) (target namespace, err error) {
	text := strings.TrimSpace(v.String("capture.target"))
	switch scope := mode(v, "capture.scope"); {
	case scope == "deployment":
		return namespace{}, nil
	case text == "":
		return namespace{}, fmt.Errorf("capture.scope=%s needs one", scope)
	case scope == "database":
		return namespace{db: text}, nil
	}
	target, ok := parseNamespace(text)
	if !ok {
		return namespace{}, fmt.Errorf("%s is no <databaseName>.<collectionName>", text)
	}
	return target, nil
}

const filterOverrides = "snapshot.collection.filter.overrides"

// snapshotQueries of the collections that the option lists.
func snapshotQueries(v config.Values) (map[namespace]bson.Raw, error) {
	queries := map[namespace]bson.Raw{}
	for name := range entries(v.String(filterOverrides)) {
		ns, ok := parseNamespace(name)
		if !ok {
			return nil, fmt.Errorf("%s is no <databaseName>.<collectionName>", name)
		}
		text, _ := v.Raw(filterOverrides + "." + name)
		if strings.TrimSpace(text) == "" {
			continue
		}
		var query bson.Raw
		if err := bson.UnmarshalExtJSON([]byte(text), false, &query); err != nil {
			return nil, fmt.Errorf("%s.%s is no query in JSON: %w", filterOverrides, name, err)
		}
		queries[ns] = query
	}
	return queries, nil
}

// streamOptions are those that do not depend on where the stream begins.
func (s *settings) streamOptions() *options.ChangeStreamOptionsBuilder {
	o := options.ChangeStream().SetBatchSize(int32(s.MaxBatch)) //nolint:gosec // an INT of the configuration
	capture := mode(s.values, "capture.mode")
	if strings.Contains(capture, "update_full") {
		full := options.UpdateLookup
		if mode(s.values, "capture.mode.full.update.type") == "post_image" {
			full = options.WhenAvailable
		}
		o.SetFullDocument(full)
	}
	if strings.Contains(capture, "pre_image") {
		o.SetFullDocumentBeforeChange(options.WhenAvailable)
	}
	if wait := s.values.Millis("cursor.max.await.time.ms"); wait > 0 {
		o.SetMaxAwaitTime(wait)
	}
	return o
}
