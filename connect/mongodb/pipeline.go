package mongodb

import (
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// pipeline is the stages that the server sends change events through. It lets more through than
// is captured where the server's regular expressions are not those of the filter.
func (s *settings) pipeline() bson.A {
	var stages bson.A
	v := s.values
	if mode(v, "cursor.oversize.handling.mode") == "skip" {
		stages = append(stages, sizeStage(v.Int("cursor.oversize.skip.threshold")))
	}
	own := bson.D{{Key: "$match", Value: s.matchStage()}}
	switch mode(v, "cursor.pipeline.order") {
	case "user_first":
		stages = append(append(stages, s.userStages...), own)
	case "user_only":
		stages = append(stages, s.userStages...)
	default:
		stages = append(append(stages, own), s.userStages...)
	}
	if mode(v, "cursor.oversize.handling.mode") == "split" {
		stages = append(stages, bson.D{{Key: "$changeStreamSplitLargeEvent", Value: bson.D{}}})
	}
	return stages
}

func mode(v config.Values, key string) string { return strings.ToLower(v.String(key)) }

func sizeStage(most int64) bson.D {
	atMost := func(field string) bson.D {
		return bson.D{{Key: "$expr", Value: bson.D{{Key: "$lte", Value: bson.A{bson.D{{Key: "$bsonSize", Value: field}}, most}}}}}
	}
	return bson.D{{Key: "$match", Value: bson.D{{Key: "$and", Value: bson.A{atMost("$fullDocument"), atMost("$fullDocumentBeforeChange")}}}}}
}

func (s *settings) matchStage() bson.D {
	operations := bson.D{{Key: "operationType", Value: bson.D{{Key: "$in", Value: s.operations()}}}}
	// The end of the stream has no namespace of interest, and signals come in whatever is skipped.
	either := bson.A{bson.D{{Key: "$and", Value: append(bson.A{operations}, s.namespaces()...)}}, bson.D{{Key: "operationType", Value: "invalidate"}}}
	if s.signals != (namespace{}) {
		either = append(either, bson.D{{Key: "ns", Value: s.signals.document()}})
	}
	return bson.D{{Key: "$or", Value: either}}
}

func (n namespace) document() bson.D {
	return bson.D{{Key: "db", Value: n.db}, {Key: "coll", Value: n.coll}}
}

func (s *settings) operations() bson.A {
	all := bson.A{}
	if !s.Skipped[debezium.Create] {
		all = append(all, "insert")
	}
	if !s.Skipped[debezium.Update] {
		all = append(all, "update", "replace")
	}
	if !s.Skipped[debezium.Delete] {
		all = append(all, "delete")
	}
	return all
}

// namespaces are conditions that events' namespaces meet.
func (s *settings) namespaces() (conditions bson.A) {
	for _, key := range []string{"database.include.list", "database.exclude.list", "collection.include.list", "collection.exclude.list"} {
		list := s.values.List(key)
		raw, _ := s.values.Raw(key)
		if len(list) == 0 || strings.Contains(raw, `\,`) { // the list is not what it was split into
			continue
		}
		ofDatabases, exclude := strings.HasPrefix(key, "database."), strings.Contains(key, "exclude")
		if mode(s.values, "filters.match.mode") == "literal" {
			conditions = append(conditions, oneOf(list, ofDatabases, exclude))
		} else {
			conditions = append(conditions, matching(list, ofDatabases, exclude))
		}
	}
	return conditions
}

// oneOf the names. They are compared as they are: the filter, which does not mind their case, sees
// what the server lets through only.
func oneOf(list []string, ofDatabases, exclude bool) bson.D {
	field, names := "ns.db", bson.A{}
	for _, name := range list {
		ns, ok := parseNamespace(name)
		switch {
		case ofDatabases:
			names = append(names, name)
		case ok:
			names = append(names, ns.document())
		}
	}
	if !ofDatabases {
		field = "ns"
	}
	operator := "$in"
	if exclude {
		operator = "$nin"
	}
	return bson.D{{Key: field, Value: bson.D{{Key: operator, Value: names}}}}
}

// matching one of the regular expressions as a whole. Conditions on the fields themselves let the
// server drop what is not captured before it makes events of it; expressions do not.
func matching(list []string, ofDatabases, exclude bool) bson.D {
	condition, ok := onFields(list, ofDatabases)
	if !ok {
		name := bson.D{{Key: "$concat", Value: bson.A{"$ns.db", ".", "$ns.coll"}}}
		condition = bson.D{{Key: "$expr", Value: bson.D{{Key: "$regexMatch", Value: bson.D{
			{Key: "input", Value: name}, {Key: "regex", Value: anchored(strings.Join(list, "|"))}, {Key: "options", Value: regexOptions},
		}}}}}
	}
	if exclude {
		return bson.D{{Key: "$nor", Value: bson.A{condition}}}
	}
	return condition
}

// onFields is ok where the expressions are of databases, or each says where the database's name ends.
func onFields(list []string, ofDatabases bool) (condition bson.D, ok bool) {
	if ofDatabases {
		return bson.D{{Key: "ns.db", Value: expression(strings.Join(list, "|"))}}, true
	}
	either := bson.A{}
	for _, text := range list {
		parts := plainName.FindStringSubmatch(text)
		if parts == nil {
			return nil, false
		}
		either = append(either, bson.D{{Key: "ns.db", Value: expression(parts[1])}, {Key: "ns.coll", Value: expression(parts[2])}})
	}
	return bson.D{{Key: "$or", Value: either}}, true
}

// plainName is a database's and a collection's with one dot, escaped or not: as names of databases
// have none, it is the dot between both.
var plainName = regexp.MustCompile(`^([\w-]+)(?:\.|\\\.|\[\.\])([\w-]+)$`)

// regexOptions: case does not matter, and a dot is any character.
const regexOptions = "is"

func expression(text string) bson.D {
	return bson.D{{Key: "$regex", Value: anchored(text)}, {Key: "$options", Value: regexOptions}}
}

func anchored(text string) string { return "^(?:" + text + ")$" }
