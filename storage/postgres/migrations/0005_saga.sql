-- Names beginning with @ stand for names in the configured schema.

-- One row per saga, timers and all, so that its lock is the only one. wake is due, or
-- somewhat before it: it is moved on only when it has passed, or when the status
-- changes, which the indexes must know anyway. Most timers are moved before they fire,
-- and a row whose indexed columns stay as they are is updated within its page.
CREATE TABLE @pabal_saga (
    number         bigint GENERATED ALWAYS AS IDENTITY,
    revision       bigint NOT NULL,
    version        integer NOT NULL,
    started        timestamptz NOT NULL,
    changed        timestamptz NOT NULL,
    ended          timestamptz,
    due            timestamptz,
    wake           timestamptz CHECK ((wake IS NULL) = (due IS NULL) AND wake <= due),
    name           text COLLATE "C" NOT NULL,
    id             text COLLATE "C" NOT NULL,
    status         text COLLATE "C" NOT NULL,
    correlation_id text COLLATE "C" NOT NULL,
    current        text NOT NULL,
    reason         text NOT NULL,
    state          json NOT NULL,
    progress       json NOT NULL,
    PRIMARY KEY (name, id)
);
-- Half of a page is for updates. Vacuum goes by numbers as well as by shares: with
-- many sleeping sagas the few that move leave their dead entries at one end of the
-- index of timers, where each look passes them.
ALTER TABLE @pabal_saga SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 5000
);

CREATE INDEX pabal_saga_wake ON @pabal_saga (name, wake) WHERE wake IS NOT NULL;
-- Its condition is always true. Only a query that repeats it can use this index, so
-- that no plan of a young table looks for one id among all of a name.
CREATE INDEX pabal_saga_age ON @pabal_saga (name, status, started, id) WHERE number > 0;
CREATE INDEX pabal_saga_correlation ON @pabal_saga (correlation_id);
CREATE INDEX pabal_saga_ended ON @pabal_saga (name, ended) WHERE ended IS NOT NULL;

-- Timelines: what was decided by one transaction.
CREATE TABLE @pabal_saga_entry (
    saga     bigint NOT NULL,
    revision bigint NOT NULL,
    entries  json NOT NULL,
    PRIMARY KEY (saga, revision)
);

-- Rows are found by index, whatever the statistics of a young table say: plans are
-- kept for as long as a connection, and tables grow. They are functions for that.

-- Locks sagas in the order of the ids given.
CREATE FUNCTION @pabal_saga_load(wanted text, ids text[]) RETURNS SETOF @pabal_saga
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off AS
$pabal$ BEGIN
    RETURN QUERY SELECT s.* FROM unnest(ids) AS w(id), LATERAL (
        SELECT * FROM @pabal_saga AS one WHERE one.name = wanted AND one.id = w.id FOR NO KEY UPDATE
    ) AS s;
END $pabal$;

-- Replaces sagas; 0, or the place of one that was not of the revision expected.
-- The limit, which a kept plan takes for a low one, has each row looked up.
CREATE FUNCTION @pabal_saga_save(names text[], ids text[], revisions bigint[], versions integer[], statuses text[],
    states text[], progresses text[], currents text[], correlations text[], reasons text[],
    starts timestamptz[], changes timestamptz[], ends timestamptz[], dues timestamptz[], entries text[]) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
    SET enable_mergejoin = off SET enable_material = off AS
$pabal$ DECLARE places bigint[]; numbers bigint[]; BEGIN
    WITH saved AS (
        UPDATE @pabal_saga AS s SET revision = n.revision, version = n.version, status = n.status,
            state = n.state::json, progress = n.progress::json, current = n.current,
            correlation_id = n.correlation_id, reason = n.reason, started = n.started, changed = n.changed,
            ended = n.ended, due = n.due,
            wake = CASE WHEN s.wake <= n.due AND s.wake > n.changed AND s.status = n.status THEN s.wake ELSE n.due END
        FROM (
            SELECT * FROM unnest(names, ids, revisions, versions, statuses, states, progresses, currents, correlations,
                reasons, starts, changes, ends, dues) WITH ORDINALITY AS u(name, id, revision, version, status, state,
                progress, current, correlation_id, reason, started, changed, ended, due, place)
            LIMIT cardinality(ids)
        ) AS n
        WHERE s.name = n.name AND s.id = n.id AND s.revision = n.revision - 1
        RETURNING n.place, s.number
    ) SELECT array_agg(place ORDER BY place), array_agg(number ORDER BY place) INTO places, numbers FROM saved;
    IF coalesce(cardinality(places), 0) < cardinality(ids) THEN
        RETURN (SELECT min(place) FROM generate_series(1, cardinality(ids)) AS place WHERE place <> ALL (coalesce(places, '{}')));
    END IF;
    INSERT INTO @pabal_saga_entry (saga, revision, entries)
    SELECT numbers[e.place], revisions[e.place], e.entries::json
    FROM unnest(entries) WITH ORDINALITY AS e(entries, place) WHERE e.entries <> '';
    RETURN 0;
END $pabal$;

-- Locks what is due, the earliest first. Sagas whose wake is before their due come up
-- early; they get it right and are looked at again, so that the order is that of due.
CREATE FUNCTION @pabal_saga_due(wanted text, moment timestamptz, most integer) RETURNS SETOF @pabal_saga
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS
$pabal$ DECLARE early text[]; BEGIN
    LOOP
        early := ARRAY(SELECT f.id FROM (
            SELECT s.id, s.wake, s.due FROM @pabal_saga AS s WHERE s.name = wanted AND s.wake <= moment
            ORDER BY s.wake LIMIT most FOR NO KEY UPDATE SKIP LOCKED
        ) AS f WHERE f.wake < f.due);
        EXIT WHEN early = '{}';
        UPDATE @pabal_saga AS s SET wake = s.due FROM (SELECT * FROM unnest(early) LIMIT cardinality(early)) AS e(id)
        WHERE s.name = wanted AND s.id = e.id;
    END LOOP;
    RETURN QUERY SELECT s.* FROM @pabal_saga AS s WHERE s.name = wanted AND s.wake <= moment AND s.due <= moment
    ORDER BY s.wake LIMIT most FOR NO KEY UPDATE SKIP LOCKED;
END $pabal$;
