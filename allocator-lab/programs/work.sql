-- A table with two indices, filled, changed and asked; COUNT stands for the number of rows.
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, kind INTEGER, price REAL);
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < COUNT)
INSERT INTO item SELECT n, 'item ' || (n * 7919 % COUNT), n % 97, n * 0.25 FROM number;
CREATE INDEX by_name ON item (name);
CREATE INDEX by_kind ON item (kind, price);
UPDATE item SET name = name || ' (old)' WHERE kind < 20;
SELECT kind, count(*), sum(price), max(name) FROM item GROUP BY kind ORDER BY 3 DESC LIMIT 10;
SELECT a.name, b.name FROM item AS a JOIN item AS b ON b.name = 'item ' || a.id
WHERE a.kind = 5 ORDER BY a.name LIMIT 10;
SELECT length(group_concat(name, ';')) FROM item;
DELETE FROM item WHERE kind % 2 = 0;
SELECT count(*), count(DISTINCT name) FROM item;
