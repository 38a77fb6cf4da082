package replay

import (
	"fmt"
	"slices"
)

// Connectors of the list.
const (
	lines     = "replay-lines" // a source, and its topic
	words     = "replay-words" // a sink
	source    = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	sink      = "org.apache.kafka.connect.file.FileStreamSinkConnector"
	stringC   = "org.apache.kafka.connect.storage.StringConverter"
	jsonC     = "org.apache.kafka.connect.json.JsonConverter"
	theLines  = "/connectors/" + lines
	theWords  = "/connectors/" + words
	aSource   = `"connector.class":"` + source + `","file":"<folder>/lines.txt","topic":"` + lines + `","tasks.max":"1",` + asStrings + `,"topic.creation.default.replication.factor":"1","topic.creation.default.partitions":"1"`
	aSink     = `"connector.class":"` + sink + `","file":"<folder>/words.txt","topics":"` + lines + `","tasks.max":"1",` + asStrings
	asStrings = `"key.converter":"` + stringC + `","value.converter":"` + stringC + `"`
)

// steps is the list, in parts that each leave what the next expects.
func steps() []step {
	return slices.Concat(empty(), unknown(), refused(), created(), configured(), states(), offsets(), sinks(), plugins(), admin(), deleted())
}

func get(about, path string) step { return step{about: about, method: "GET", path: path} }

func do(about, method, path, body string) step {
	return step{about: about, method: method, path: path, body: body}
}

func empty() []step {
	return []step{
		get("the worker", "/"),
		get("its health", "/health"),
		get("no connectors", "/connectors"),
		get("a slash at the end is accepted", "/connectors/"),
		get("no connectors, with their statuses", "/connectors?expand=status"),
		get("a word nobody knows", "/connectors?expand=nonsense"),
		get("a path nobody knows", "/nonsense"),
		do("a method that is not allowed", "DELETE", "/connectors", ""),
	}
}

// unknown asks for a connector that does not exist.
func unknown() []step {
	const none = "/connectors/none"
	var all []step
	for _, request := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"GET", "/config", ""}, {"GET", "/status", ""}, {"GET", "/tasks", ""}, {"GET", "/topics", ""},
		{"GET", "/offsets", ""}, {"GET", "/tasks/0/status", ""}, {"GET", "/tasks-config", ""},
		{"PUT", "/pause", ""}, {"PUT", "/resume", ""}, {"PUT", "/stop", ""}, {"PUT", "/topics/reset", ""},
		{"POST", "/restart", ""}, {"POST", "/restart?includeTasks=true", ""}, {"POST", "/tasks/0/restart", ""},
		{"PATCH", "/config", `{"tasks.max":"1"}`}, {"PATCH", "/offsets", `{"offsets":[{"partition":{"a":"b"},"offset":{"c":1}}]}`},
		{"DELETE", "/offsets", ""}, {"DELETE", "", ""},
	} {
		all = append(all, do("a connector that does not exist", request.method, none+request.path, request.body))
	}
	return all
}

// refused posts what cannot be created.
func refused() []step {
	post := func(about, body string) step { return do(about, "POST", "/connectors", body) }
	with := func(about, name, config string) step {
		return post(about, fmt.Sprintf(`{"name":%q,"config":{%s}}`, name, config))
	}
	return []step{
		{about: "no body", method: "POST", path: "/connectors", contentType: "application/json"},
		post("no JSON", `{"name":`),
		post("an array", `[]`),
		post("nothing in it", `{}`),
		post("no configuration", `{"name":"x"}`),
		post("a key nobody knows", `{"name":"x","config":{`+aSource+`},"colour":"red"}`),
		{about: "not said to be JSON", method: "POST", path: "/connectors", body: `{"name":"x","config":{}}`, contentType: "text/plain"},
		post("no class", `{"name":"x","config":{}}`),
		with("a class nobody knows", "x", `"connector.class":"no.such.Connector"`),
		with("another name in the configuration", "x", `"name":"y",`+aSource),
		post("no name", `{"config":{`+aSource+`}}`),
		with("a blank name", " ", aSource),
		with("a required key is missing", "x", `"connector.class":"`+source+`"`),
		with("a number that is none", "x", aSource+`,"tasks.max":"many"`),
		with("a number that is too small", "x", aSource+`,"tasks.max":"0"`),
		with("a converter nobody knows", "x", aSource+`,"value.converter":"no.such.Converter"`),
		with("a transform nobody knows", "x", aSource+`,"transforms":"a","transforms.a.type":"no.such.Transform"`),
		with("a transform without a class", "x", aSource+`,"transforms":"a"`),
		with("a choice that is none", "x", aSource+`,"errors.tolerance":"some"`),
		with("a source's key with a value that is none", "x", aSource+`,"exactly.once.support":"maybe"`),
		post("an initial state that is none", `{"name":"x","config":{`+aSource+`},"initial_state":"ASLEEP"}`),
		with("a sink without topics", "x", `"connector.class":"`+sink+`"`),
		with("a sink with topics in two ways", "x", aSink+`,"topics.regex":"a.*"`),
		get("nothing was created", "/connectors"),
	}
}
