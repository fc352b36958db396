"""School Data Sync and OneRoster folders for tests, of fictional people."""

from collections.abc import Mapping

OWN = {
    "schools.csv": "code,name,senior\nSEN,Ysgol Uwch,yes\nPREP,Ysgol Iau,no\n",
    "staff.csv": "email,roles,year_groups,school\nt.evans@ysgol.example,teacher;hoy,9,SEN\n",
    "pupils.csv": "email,house,tutor_email\na.bowen@ysgol.example,Wye,t.evans@ysgol.example\n"
    "n.haf@ysgol.example,Dore,\n",
}

ONEROSTER_1_1 = {
    "manifest.csv": "propertyName,value\noneroster.version,1.1\nfile.orgs,bulk\nfile.users,bulk\n",
    "orgs.csv": (
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
        "d1,active,,Ymddiriedolaeth,district,,\n"
        "senior,active,,Ysgol Uwch,school,101,d1\n"
        "prep,active,,Ysgol Iau,school,102,d1\n"
    ),
    "users.csv": (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
        "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
        't1,active,,true,"senior,prep",teacher,tevans,,Tegid,Evans,,T1,t.evans@ysgol.example,,,,,secret\n'
        "a1,active,,true,d1,administrator,gpuw,,Gwen,Puw,,A1,g.puw@ysgol.example,,,,,\n"
        "s1,active,,true,senior,student,abowen,,Aled,Bowen,,S1,a.bowen@ysgol.example,,,p1,09,\n"
        "s2,tobedeleted,2026-09-01T00:00:00Z,false,senior,student,dgone,,Dilys,Gone,,S2,d.gone@ysgol.example,,,,09,\n"
        "s3,active,,true,prep,student,cbach,,Cai,Bach,,S3,,,,,KG,\n"
        "s4,active,,true,senior,student,nhaf,,Nia,Haf,,S4,n.haf@ysgol.example,,,,10,\n"
        "p1,active,,true,senior,parent,pbowen,,Peredur,Bowen,,,p.bowen@cartref.example,,,,,\n"
        "p2,active,,true,senior,guardian,mbowen,,Mair,Bowen,,,m.bowen@cartref.example,,,s1,,\n"
        "p3,active,,true,senior,relative,nbowen,,Nain,Bowen,,,n.bowen@cartref.example,,,s1,,\n"
    ),
    "classes.csv": "sourcedId,title\nc1,Maths\n",
}

ONEROSTER_1_2 = {
    "manifest.csv": ONEROSTER_1_1["manifest.csv"].replace("1.1", "1.2") + "file.roles,bulk\n",
    "orgs.csv": ONEROSTER_1_1["orgs.csv"],
    "users.csv": (
        "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
        "email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,"
        "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n"
        "t1,,,true,tevans,,Tegid,Evans,,,t.evans@ysgol.example,,,,,,,,,,,,\n"
        "s1,,,true,a.bowen@ysgol.example,,Aled,Bowen,,,,,,p1,09,,,,,,,,\n"
        "p1,,,true,pbowen,,Peredur,Bowen,,,p.bowen@cartref.example,,,,,,,,,,,,\n"
    ),
    "roles.csv": (
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
        "userProfileSourcedId\n"
        "r1,,,t1,primary,teacher,,,prep,\n"
        "r2,,,t1,secondary,teacher,,,senior,\n"
        "r3,,,s1,primary,student,2026-09-01,2027-07-31,senior,\n"
        "r4,,,s1,secondary,student,2025-09-01,2026-07-31,prep,\n"
        "r5,,,p1,primary,parent,,,senior,\n"
    ),
}

SDS = {
    "orgs.csv": "sourcedId,name,type,parentSourcedId\n110001,Ysgol Uwch,school,\n110002,Ysgol Iau,school,\n",
    "users.csv": (
        "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms\n"
        "1,a.bowen@ysgol.example,Aled,Bowen,,a.bowen@ysgol.example,,,\n"
        "2,t.evans@ysgol.example,Tegid,Evans,,t.evans@ysgol.example,tegid@cartref.example,,\n"
        "3,,Peredur,Bowen,,,p.bowen@cartref.example,,\n"
        "4,,Nain,Bowen,,,n.bowen@cartref.example,,\n"
    ),
    "roles.csv": (
        "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate\n"
        "1,110001,student,AY26,9,TRUE,9/2/2026,\n"
        "2,110001,teacher,AY26,,TRUE,9/2/2026,\n"
        "2,110002,teacher,AY26,,FALSE,9/2/2026,\n"
    ),
    "relationships.csv": (
        "userSourcedId,relationshipUserSourcedId,relationshipRole\n1,3,parent\n1,4,relative\n1,99,guardian\n"
    ),
    "academicSessions.csv": "sourcedId,title\nAY26,2026\n",
}


def files(folder: Mapping[str, str], **changes: str) -> dict[str, tuple[str, bytes]]:
    """A folder's files by their names in lower case, with the school's own; `changes` are the contents of files, by
    their names without the ending."""
    contents = OWN | dict(folder) | {f"{name}.csv": text for name, text in changes.items()}
    return {name.lower(): (name, text.encode()) for name, text in contents.items() if text}
