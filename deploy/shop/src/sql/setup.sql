-- The shop's tables and their first contents, in one transaction. Every statement may be repeated; the lock
-- makes replicas that start together do it one after the other.
BEGIN;
SELECT pg_advisory_xact_lock(7348219410);

CREATE SCHEMA IF NOT EXISTS shop;

-- Space is left in pages of rows that every sale updates, so that updates stay within their page.
CREATE TABLE IF NOT EXISTS shop.products (
    tenant text NOT NULL,
    id int NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    price_cents int NOT NULL,
    stock bigint NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, sku)
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS shop.stock_adjustments (
    tenant text NOT NULL,
    id uuid NOT NULL,
    product_id int NOT NULL,
    delta int NOT NULL,
    repeats int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE IF NOT EXISTS shop.customers (
    tenant text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    email text NOT NULL,
    repeats int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX IF NOT EXISTS customers_by_name ON shop.customers (tenant, name_key, id);

CREATE TABLE IF NOT EXISTS shop.sales (
    tenant text NOT NULL,
    id uuid NOT NULL,
    product_id int NOT NULL,
    customer_id text,
    quantity int NOT NULL,
    amount_cents bigint NOT NULL,
    sold_at timestamptz NOT NULL DEFAULT now(),
    repeats int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);

-- Kept by each sale's own transaction: reports read a row a product and day, never the sales. One row a day
-- would make all sales wait for each other's commit.
CREATE TABLE IF NOT EXISTS shop.sales_daily (
    tenant text NOT NULL,
    day date NOT NULL,
    product_id int NOT NULL,
    sales bigint NOT NULL,
    quantity bigint NOT NULL,
    amount_cents bigint NOT NULL,
    PRIMARY KEY (tenant, day, product_id)
) WITH (fillfactor = 60);

INSERT INTO shop.products (tenant, id, sku, name, price_cents, stock)
SELECT tenant, n, 'S-' || n,
       (ARRAY['Plain', 'Bright', 'Heavy', 'Folding', 'Nordic', 'Compact', 'Oak'])[1 + n % 7] || ' ' ||
       (ARRAY['lamp', 'chair', 'kettle', 'shelf', 'basket', 'clock', 'mirror', 'bench', 'vase', 'tray', 'stool'])[1 + n % 11],
       199 + n * 7919 % 20000,
       1000 + n * 31 % 500
FROM unnest(ARRAY['acme', 'globex', 'initech']) AS tenant, generate_series(1, 500) AS n
ON CONFLICT DO NOTHING;

INSERT INTO shop.customers (tenant, id, name, email)
SELECT tenant, n::text,
       (ARRAY['Ada', 'Bo', 'Carl', 'Dora', 'Eva', 'Finn', 'Gita', 'Hugo', 'Ines', 'Jon', 'Kaia', 'Liv', 'Mats'])[1 + n % 13] || ' ' ||
       (ARRAY['Berg', 'Dahl', 'Evans', 'Falk', 'Garcia', 'Holm', 'Ito', 'Jansen', 'Kumar', 'Lund', 'Moreau'])[1 + n % 11],
       'customer' || n || '@' || tenant || '.example'
FROM unnest(ARRAY['acme', 'globex', 'initech']) AS tenant, generate_series(1, 2000) AS n
ON CONFLICT DO NOTHING;

COMMIT;
