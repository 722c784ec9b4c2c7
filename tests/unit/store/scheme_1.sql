BEGIN TRANSACTION;
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
INSERT INTO "django_migrations" VALUES(1,'store','0001_ledger','2026-11-22 19:32:17.456586');
CREATE TABLE "ledger_event" ("study_id" varchar(20) NOT NULL, "seq" bigint unsigned NOT NULL CHECK ("seq" >= 0), "at" varchar(40) NOT NULL, "actor_id" varchar(64) NOT NULL, "actor_name" varchar(128) NOT NULL, "role" varchar(32) NOT NULL, "site" varchar(16) NOT NULL, "kind" varchar(40) NOT NULL, "payload" text NOT NULL, "prev_hash" varchar(64) NOT NULL, "hash" varchar(64) NOT NULL, CONSTRAINT "ledger_event_no_fork" UNIQUE ("study_id", "prev_hash"), PRIMARY KEY ("study_id", "seq"));
INSERT INTO "ledger_event" VALUES('BALLI-01',1,'2020-01-06T09:00:00.000000+00:00','s','Sponsor','sponsor','','StudyOpened','{"origin":"test","plan_hash":"390d2033abda7a14c6630c2421ffafb40de2dcc97440fa3ce71b8026241de8ef","software":"0","study_hash":"7c6be7f265e60cf6f89c91993d96aeb4b822d0d3d70588726a581fe5441569ef","study_id":"BALLI-01"}','0000000000000000000000000000000000000000000000000000000000000000','325b6b60c93a8605589744269af251f49bc5499be34e2fcde29a725f1ec08f2f');
INSERT INTO "ledger_event" VALUES('BALLI-01',2,'2020-01-06T09:00:00.000000+00:00','c','Chair','committee_member','','CommitteeDecided','{"action":"open","decision":1,"dose_level":1,"reason":"start","recommendation":null,"signers":["Chair","Sponsor physician"]}','325b6b60c93a8605589744269af251f49bc5499be34e2fcde29a725f1ec08f2f','59dbb93dfb315e734516e02f659821a11dbb3c1a9cd65ed6d6bd1a2092d13c36');
INSERT INTO "ledger_event" VALUES('BALLI-01',3,'2020-01-06T09:00:00.000000+00:00','c','Chair','committee_member','','CohortOpened','{"cohort":1,"dose_level":1,"part":"escalation","size":3}','59dbb93dfb315e734516e02f659821a11dbb3c1a9cd65ed6d6bd1a2092d13c36','a78ba0c6cbfbca2956734066480c77cef4d7075804c9ac55df624262794e058b');
INSERT INTO "ledger_event" VALUES('BALLI-01',4,'2020-01-06T09:00:00.000000+00:00','co','Coordinator','coordinator','01','PatientEnrolled','{"cohort":1,"consented_on":"2020-01-06","part":"escalation","patient":"001","replaces":null,"site":"01"}','a78ba0c6cbfbca2956734066480c77cef4d7075804c9ac55df624262794e058b','020f97e073e58bb441e13b3abbec761770cccc4db672485305b5af7b734fc965');
INSERT INTO "ledger_event" VALUES('BALLI-01',5,'2020-01-06T09:00:00.000000+00:00','co','Coordinator','coordinator','01','PatientEnrolled','{"cohort":1,"consented_on":"2020-01-06","part":"escalation","patient":"002","replaces":null,"site":"01"}','020f97e073e58bb441e13b3abbec761770cccc4db672485305b5af7b734fc965','e777de2c87659789d39982e2c9721720aacdfe6536697f879f16ed60f0d47a6f');
CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no update'); END;
CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no delete'); END;
CREATE TRIGGER ledger_event_no_replace BEFORE INSERT ON ledger_event
       WHEN EXISTS (SELECT 1 FROM ledger_event WHERE study_id = NEW.study_id
                    AND (seq = NEW.seq OR prev_hash = NEW.prev_hash))
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no replacement'); END;
INSERT INTO "sqlite_sequence" VALUES('django_migrations',1);
COMMIT;
