package admin

import "net/url"

func writeStoreQuery(q StoreQuery) url.Values {
	v := url.Values{}
	put(v, "store", q.Store)
	if q.Key != nil {
		v.Set("key", *q.Key)
	}
	put(v, "from", q.From)
	put(v, "to", q.To)
	put(v, "prefix", q.Prefix)
	put(v, "timeFrom", q.TimeFrom)
	put(v, "timeTo", q.TimeTo)
	putBool(v, "reverse", q.Reverse)
	putBool(v, "stale", q.Stale)
	putInt(v, "limit", int64(q.Limit))
	put(v, "cursor", q.Cursor)
	return v
}

func readStoreQuery(v url.Values) (StoreQuery, error) {
	p := params{v: v}
	q := StoreQuery{
		Store: p.text("store"), From: p.text("from"), To: p.text("to"), Prefix: p.text("prefix"),
		TimeFrom: p.text("timeFrom"), TimeTo: p.text("timeTo"), Reverse: p.bool("reverse"), Stale: p.bool("stale"),
		Limit: int(p.int("limit", 32)), Cursor: p.text("cursor"),
	}
	if key := p.text("key"); v.Has("key") {
		q.Key = &key
	}
	return q, p.end()
}

func putBool(v url.Values, name string, value bool) {
	if value {
		v.Set(name, "true")
	}
}
